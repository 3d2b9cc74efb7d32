/**
 * What audit records: whoever reads the trail leaves a trace in the same log, and so do those who see to
 * parked homes.
 */
import { z } from 'zod';

import { AudienceSchema, customer, event } from '../language/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';
import { parkingOrderEvents } from './parking.ts';

export * from './parking.ts';

/** An id, the name of a stream or of an actor. Never free text: it is kept for ever. */
export const TrailNameSchema = z
  .string()
  .max(300)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:/-]*$/, {
    error: 'expected an id, or the name of a stream or of an actor, as an event has it',
  });

/** A position as text of fixed width. */
export const TrailPositionSchema = z.string().regex(/^\d{20}$/, {
  error: 'expected a position as an earlier answer gave it',
});

/** What of the trail was asked for; all that is given had to hold. */
export const TrailQuestionSchema = z.strictObject({
  object: TrailNameSchema.optional(),
  actor: TrailNameSchema.optional(),
  /** The account whose things, and those of all below it, were asked for. */
  accountId: idOf('tenant').optional(),
  types: z
    .array(
      z
        .string()
        .max(100)
        .regex(/^[a-z]+\.[A-Za-z]+$/, { error: 'expected a type of event' }),
    )
    .max(50)
    .optional(),
  from: InstantSchema.optional(),
  to: InstantSchema.optional(),
  afterPosition: TrailPositionSchema.optional(),
  upToPosition: TrailPositionSchema.optional(),
});

/**
 * Someone asked for a page of the trail; recorded before it was answered, and the answer held nothing
 * from behind this event. `by` is the member behind the key, where a key asked; the key itself is the
 * event's actor. Positions are as they were asked, in the log of then.
 */
export const TrailRead = event(
  'audit.TrailRead',
  z.strictObject({
    question: customer(TrailQuestionSchema),
    page: customer(
      z.strictObject({
        limit: z.number().int().min(1).max(100),
        reverse: z.boolean(),
        after: TrailPositionSchema.optional(),
        before: TrailPositionSchema.optional(),
      }),
    ),
    by: customer(z.string().min(1).max(300)),
    audience: customer(AudienceSchema),
    /** SHA-256 of all arguments, canonical, hexadecimal: the record allows this question alone. */
    digest: customer(z.string().regex(/^[0-9a-f]{64}$/)),
  }),
);

/** Every event type of audit. */
export const auditEvents = [TrailRead, ...parkingOrderEvents] as const;
