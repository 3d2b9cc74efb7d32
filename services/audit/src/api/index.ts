/** What can be asked of audit: the trail of an object, an actor, an account's tree, or of everything. */
import { TrailQuestionSchema } from '@bivouac/events/audit';

export * from './parking.ts';
import { command, PageArgsSchema, pageSchema, query } from '@bivouac/events/language';
import { idOf, InstantSchema, UInt64Schema } from '@bivouac/events/values';
import { z } from 'zod';

/** Tenants of a tree that can be named one by one. */
const MAX_TENANTS = 20_000;

/** All that is given must hold. `from` is inclusive, `to` exclusive. */
export const TrailFilterSchema = TrailQuestionSchema.omit({ accountId: true }).extend({
  /** An account with all below it, as accounts know its tree. */
  account: z
    .strictObject({
      id: idOf('tenant'),
      /** The home that all of it is in. Absent: it is in many. */
      homeId: idOf('tenant').optional(),
      /** The account and those below it. Absent: all of the home. */
      tenants: z.array(idOf('tenant')).max(MAX_TENANTS).optional(),
    })
    .optional(),
});
export type TrailFilter = z.output<typeof TrailFilterSchema>;

/** The cursor of an event is its position, whatever the filter. */
const TrailArgsSchema = z.strictObject({ filter: TrailFilterSchema, page: PageArgsSchema });
export type TrailArgs = z.output<typeof TrailArgsSchema>;

export const TrailEventSchema = z.object({
  position: z.string(),
  eventId: z.string(),
  stream: z.string(),
  revision: UInt64Schema,
  type: z.string(),
  time: InstantSchema,
  actorId: z.string(),
  tenantId: z.string(),
  homeId: z.string(),
  correlationId: z.string(),
  causationId: z.string(),
  /** The fields the viewer's audience may see; null where this release cannot read the event. */
  data: z.record(z.string(), z.unknown()).nullable(),
});
export type TrailEvent = z.output<typeof TrailEventSchema>;

/**
 * Records that someone is about to read; `read` allows exactly that one question, to the same member.
 * Refusal: INVALID_INPUT for a question that has no answer.
 */
export const RecordTrailRead = command({
  name: 'audit.RecordTrailRead',
  access: 'tenant',
  right: 'history.read',
  input: TrailArgsSchema,
  result: z.object({ read: z.string() }),
});

/**
 * Events in log order, as far as the caller reaches, from before the question was recorded. Of people
 * `read` is asked for, as {@link RecordTrailRead} gave it for the same arguments. So many events are
 * looked at and no more: where that did not fill the page, `reached` is the cursor to go on from.
 * Refusals: NOT_ALLOWED, INVALID_INPUT.
 */
export const Trail = query({
  name: 'audit.Trail',
  access: 'tenant',
  right: 'history.read',
  input: TrailArgsSchema.extend({ read: z.string().max(300).optional() }),
  result: pageSchema(TrailEventSchema).extend({ reached: z.string().optional() }),
});
