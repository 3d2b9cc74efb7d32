/** What can be asked of audit: the trail of an object, an actor, a tree, or of everything. */
import { AccessFilterSchema } from '@bivouac/events/audit';
import { command, PageArgsSchema, pageSchema, query } from '@bivouac/events/language';
import { InstantSchema, UInt64Schema } from '@bivouac/events/values';
import { z } from 'zod';

const PositionTextSchema = z.string().regex(/^\d{20}$/, {
  error: 'expected a position as an earlier answer gave it',
});

/** All that is given must hold. `from` is inclusive, `to` exclusive. */
export const TrailFilterSchema = AccessFilterSchema.extend({
  from: InstantSchema.optional(),
  to: InstantSchema.optional(),
  afterPosition: PositionTextSchema.optional(),
  upToPosition: PositionTextSchema.optional(),
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
  /** The fields the viewer's audience may see. */
  data: z.record(z.string(), z.unknown()),
});
export type TrailEvent = z.output<typeof TrailEventSchema>;

/**
 * Records that someone is about to look; `access` allows exactly that one look, by the same member.
 * Refusal: NOT_FOUND where the caller is not one whose looking is recorded.
 */
export const RecordAccess = command({
  name: 'audit.RecordAccess',
  access: 'tenant',
  input: TrailArgsSchema.extend({ reason: z.string().trim().min(1).max(500).optional() }),
  result: z.object({ access: z.string() }),
});

/**
 * Events in log order, as far as the caller reaches. Of staff and auditors `access` is asked for, as
 * {@link RecordAccess} gave it for the same arguments. Refusals: NOT_ALLOWED, INVALID_INPUT.
 */
export const TrailOf = query({
  name: 'audit.TrailOf',
  access: 'tenant',
  input: TrailArgsSchema.extend({ access: z.string().max(512).optional() }),
  result: pageSchema(TrailEventSchema),
});
