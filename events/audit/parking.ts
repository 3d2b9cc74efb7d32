/**
 * What staff order about parked homes: events of a service that wait because one of them could not be
 * handled. The services act on it, wherever the home is; why is for the staff and the auditor.
 */
import { z } from 'zod';

import { event, staff } from '../language/index.ts';
import { StaffReasonSchema } from '../provisioning/staff.ts';

/** The services whose reactions can park a home. */
export const parkingServices = [
  'accounts',
  'billing',
  'containers',
  'packages',
  'provisioning',
  'quotas',
] as const;
export const ParkingServiceSchema = z.enum(parkingServices);
export type ParkingService = z.output<typeof ParkingServiceSchema>;

/** A home: a tenant, or a stream of the platform. */
export const HomeIdSchema = z
  .string()
  .max(512)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:/-]*$/, {
    error: 'expected the id of a home, as the list of parked homes has it',
  });

const service = staff(ParkingServiceSchema);
const homeId = staff(HomeIdSchema);
/** The event that the home was parked at. */
const eventId = staff(z.uuid());

/** What waits there is to be handled again. */
export const ParkedHomeReplayOrdered = event(
  'audit.ParkedHomeReplayOrdered',
  z.strictObject({ service, homeId, eventId }),
);

/** The service is to leave that event out, for ever, and to handle what comes after it. */
export const ParkedEventSkipOrdered = event(
  'audit.ParkedEventSkipOrdered',
  z.strictObject({ service, homeId, eventId, reason: staff(StaffReasonSchema) }),
);

/** Both, of the streams `parking-<service>`. */
export const parkingOrderEvents = [ParkedHomeReplayOrdered, ParkedEventSkipOrdered] as const;

/** The stream with what was ordered about the parked homes of a service. */
export function parkingStream(service: string): string {
  return `parking-${service}`;
}
