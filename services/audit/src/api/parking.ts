/** What the staff can ask about parked homes, and order. */
import { HomeIdSchema, ParkingServiceSchema } from '@bivouac/events/audit';
import { command, PageArgsSchema, pageSchema, query } from '@bivouac/events/language';
import { StaffReasonSchema } from '@bivouac/events/provisioning';
import { InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

export const ParkedHomeViewSchema = z.object({
  service: ParkingServiceSchema,
  homeId: z.string(),
  /** Events of the home at or after it wait; the first is the one that could not be handled. */
  position: z.string(),
  eventId: z.string(),
  eventType: z.string(),
  /** Null where the event could not be read at all. */
  reaction: z.string().nullable(),
  reason: z.enum(['unknown-version', 'invalid-body', 'handler-failed']),
  /** When it was tried last. */
  since: InstantSchema,
});
export type ParkedHomeView = z.output<typeof ParkedHomeViewSchema>;

/**
 * The homes that are parked, by service and home, as the services have written it down: at most a second
 * ago.
 */
export const ParkedHomes = query({
  name: 'audit.ParkedHomes',
  access: 'staff',
  right: 'platform.read',
  input: z.strictObject({ service: ParkingServiceSchema.optional(), page: PageArgsSchema }),
  result: pageSchema(ParkedHomeViewSchema),
});

/**
 * Has what waits in a home handled again, in order, wherever the home is. What came of it the list says:
 * the home is gone from it, or its `since` is newer. Refusal: HOME_NOT_PARKED.
 */
export const ReplayParkedHome = command({
  name: 'audit.ReplayParkedHome',
  access: 'staff',
  right: 'operations.repair',
  input: z.strictObject({ service: ParkingServiceSchema, homeId: HomeIdSchema }),
  result: z.strictObject({ eventId: z.string() }),
});

/**
 * Has the event that a home is parked at left out for ever, and what comes after it handled. Refusals:
 * HOME_NOT_PARKED, PARKED_AT_OTHER_EVENT.
 */
export const SkipParkedEvent = command({
  name: 'audit.SkipParkedEvent',
  access: 'staff',
  right: 'operations.repair',
  input: z.strictObject({
    service: ParkingServiceSchema,
    homeId: HomeIdSchema,
    eventId: z.uuid(),
    /** Why, in a sentence; for the staff and the auditor. */
    reason: StaffReasonSchema,
  }),
  result: z.strictObject({ eventId: z.string() }),
});
