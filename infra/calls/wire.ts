/** How a call and its reply look between processes: JSON by HTTP, `POST /calls/<contract name>`. */
import type {
  CommandCall,
  CommandReply,
  QueryCall,
  QueryReply,
  Refusal,
} from '@bivouac/events/language';
import { AudienceSchema, RightSchema } from '@bivouac/events/language';
import { z } from 'zod';

/** Where contracts are answered; the contract's name follows. */
export const CALLS_PATH = '/calls/';
/** How long the caller still waits, in milliseconds from the moment of sending. */
export const DEADLINE_HEADER = 'x-bivouac-deadline-ms';
/** The largest call, in bytes: a list of 50,000 packages fits. */
export const MAX_CALL_BYTES = 16 * 1024 * 1024;
/** The largest reply that a caller reads, in bytes. */
export const MAX_REPLY_BYTES = 64 * 1024 * 1024;
/** The longest deadline that is believed, in milliseconds. */
export const MAX_DEADLINE_MS = 120_000;

const id = z.string().max(200);
const setOf = <S extends z.ZodType>(one: S) =>
  z.union([z.literal('all'), z.array(one).transform((list) => new Set(list))]);

/** Strict: an unknown field could be a restriction that this release would overlook. */
const PrincipalSchema = z.strictObject({
  id: id.min(1),
  kind: z.enum(['member', 'key', 'policy', 'timer', 'node', 'system']),
  memberId: id.optional(),
  tenantId: id,
  homeId: id,
  reach: setOf(id),
  rights: setOf(RightSchema),
  audience: AudienceSchema,
});

/** Kinds of principals that callers may speak for. Policies and timers are a service's own. */
export const PrincipalKindSchema = PrincipalSchema.shape.kind.exclude(['policy', 'timer']);
export type PrincipalKind = z.output<typeof PrincipalKindSchema>;

/** A command as it is sent. */
export const CommandMessageSchema = z.strictObject({
  input: z.unknown(),
  call: z.strictObject({
    principal: PrincipalSchema,
    idempotencyKey: z.string().min(1),
    correlationId: z.string().optional(),
    causationId: z.string().optional(),
    expectedRevision: z.string().optional(),
  }),
});

/** A query as it is sent. */
export const QueryMessageSchema = z.strictObject({
  input: z.unknown(),
  call: z.strictObject({ principal: PrincipalSchema, atLeast: z.string().optional() }),
});

/** A call with its input, ready to be written as JSON. */
export function messageOf(input: unknown, call: CommandCall | QueryCall): object {
  const { reach, rights } = call.principal;
  return {
    input,
    call: {
      ...call,
      principal: {
        ...call.principal,
        reach: reach === 'all' ? reach : [...reach],
        rights: rights === 'all' ? rights : [...rights],
      },
    },
  };
}

/** Fields that are unknown here are dropped: a newer service may say more. */
const RefusalSchema: z.ZodType<Refusal> = z.object({
  code: z.string(),
  message: z.string(),
  path: z.array(z.string()).optional(),
  retryable: z.boolean().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

const RefusedSchema = z.object({ ok: z.literal(false), refusal: RefusalSchema });

/** What answers a command. The result is held against its contract apart from this. */
export const CommandReplySchema = z.discriminatedUnion('ok', [
  z
    .object({
      ok: z.literal(true),
      result: z.unknown(),
      stream: z.string(),
      revision: z
        .string()
        .regex(/^-?\d{1,20}$/)
        .transform(BigInt),
      position: z.string().optional(),
      repeated: z.boolean(),
    })
    // In process the position of a no-op is there and undefined.
    .transform((reply) => ({ ...reply, position: reply.position })),
  RefusedSchema,
]);

/** What answers a query. */
export const QueryReplySchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown(), position: z.string().nullable() }),
  RefusedSchema,
]);

/** A reply ready to be written as JSON. */
export function writtenReply(reply: CommandReply<unknown> | QueryReply<unknown>): object {
  return 'revision' in reply ? { ...reply, revision: reply.revision.toString() } : reply;
}

/** Why a call was not answered by the service. */
export type CallProblem =
  /** Who calls is not known here; nothing was done. */
  | 'unauthenticated'
  /** Who calls may not speak for such a principal; nothing was done. */
  | 'forbidden'
  /** This service has no such contract; nothing was done. */
  | 'unknown-contract'
  /** What was sent is no call; nothing was done. */
  | 'malformed'
  /** What was sent is beyond the bound; nothing was done. */
  | 'too-large'
  /** This replica is stopping; nothing was done. */
  | 'shutting-down'
  /** What the service needs cannot be reached; nothing was done. */
  | 'unavailable'
  /** It was not answered in time; a command may or may not be done. */
  | 'deadline'
  /** A defect of the service; it is logged there. */
  | 'defect';

/** The HTTP status of each. */
export const statusOf: Readonly<Record<CallProblem, number>> = {
  unauthenticated: 401,
  forbidden: 403,
  'unknown-contract': 404,
  malformed: 400,
  'too-large': 413,
  'shutting-down': 503,
  unavailable: 503,
  deadline: 504,
  defect: 500,
};

/** What is sent instead of a reply. */
export const ProblemSchema = z.object({
  error: z.object({ code: z.string(), message: z.string() }),
});
