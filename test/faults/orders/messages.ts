/** What passes between a run and the installation it kills: one JSON object a line, both ways. */
import { OutcomeSchema } from '@bivouac/all/checks/ends';
import { z } from 'zod';

/** Who a command is sent as. */
const CallerSchema = z.object({
  id: z.string(),
  tenantId: z.string(),
  homeId: z.string(),
  staff: z.boolean(),
});
export type Caller = z.output<typeof CallerSchema>;

const OrderSchema = z.looseObject({ kind: z.string() });
export type Order = z.output<typeof OrderSchema>;

/** What a customer or the staff want. Orders are parsed by the command itself. */
export const RequestSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('order'),
    tenantId: z.string(),
    homeId: z.string(),
    order: OrderSchema,
  }),
  z.object({ type: z.literal('cancel'), operationId: z.string() }),
  /** The staff have mended what an operation waits for, or say that there is nothing to be done. */
  z.object({ type: z.enum(['retry', 'resolve']), operationId: z.string() }),
]);
export type Request = z.output<typeof RequestSchema>;

/** To the installation. */
export const ToInstallationSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('command'),
    /** Tells the reply's line apart; not part of the command. */
    sending: z.number(),
    caller: CallerSchema,
    request: RequestSchema,
    key: z.string(),
  }),
  z.object({ type: z.literal('move-clock'), milliseconds: z.number() }),
  z.object({ type: z.literal('settle') }),
  /** Asks for a sign of life: that it is silent because it waits, and not because the machine is slow. */
  z.object({ type: z.literal('probe'), probe: z.number() }),
  z.object({ type: z.literal('stop') }),
]);
export type ToInstallation = z.output<typeof ToInstallationSchema>;

/** A command's answer, as far as a caller may rely on it. */
export const AnswerSchema = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    stream: z.string(),
    revision: z.string(),
    /** Null: nothing had to be done, and nothing is remembered of it. */
    position: z.string().nullable(),
    repeated: z.boolean(),
    result: z.record(z.string(), z.unknown()),
  }),
  z.object({ ok: z.literal(false), code: z.string(), retryable: z.boolean() }),
]);
export type Answer = z.output<typeof AnswerSchema>;

const TenantSchema = z.object({ tenantId: z.string(), homeId: z.string() });
export type Tenant = z.output<typeof TenantSchema>;

/** What a run orders for and from. */
const WorldSchema = z.object({
  provider: TenantSchema,
  customers: z.array(TenantSchema),
  imageId: z.string(),
});
export type World = z.output<typeof WorldSchema>;

/** From the installation. */
export const FromInstallationSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('opening') }),
  z.object({ type: z.literal('ready'), world: WorldSchema }),
  z.object({ type: z.literal('reply'), sending: z.number(), answer: AnswerSchema }),
  /** Read models have come to here: so many events are in the log at least. */
  z.object({ type: z.literal('applied'), events: z.number() }),
  /** An operation has ended, or waits, or goes on; also again, after a start. */
  z.object({
    type: z.literal('ended'),
    operationId: z.string(),
    outcome: OutcomeSchema,
    /** With `needs-attention`: the step that somebody has to look at. */
    step: z.string().nullable(),
  }),
  /** Nothing is under way, and all ends were told; so many instructions wait for a node's answer. */
  z.object({ type: z.literal('settled'), unanswered: z.number() }),
  /** It has had its turn, and its log's writer has answered whatever it was given before. */
  z.object({ type: z.literal('probed'), probe: z.number() }),
  z.object({ type: z.literal('stopped') }),
  /** It cannot go on: never right. */
  z.object({ type: z.literal('failed'), message: z.string() }),
]);
export type FromInstallation = z.output<typeof FromInstallationSchema>;
