/**
 * Events of a placement's and a lease's own stream, `placement-<plc id>` and `lease-<lse id>`: which
 * owners are asked, in which order, recorded before the first is asked. Whoever repeats an ask after
 * a crash walks the same list, so nothing is ever held twice.
 */
import { z } from 'zod';

import { event, staff } from '../language/index.ts';
import { FamilySchema, idOf, InstantSchema, ResourceVectorSchema } from '../values/index.ts';
import { LocationSchema } from './node.ts';

/** Most owners one placement or lease is offered to. */
export const MAX_CANDIDATES = 16;

/** The position of the read model the candidates were read at; null where the log was empty. */
const asOf = staff(z.string().max(40).nullable());

export const PlacementCandidateSchema = z.strictObject({
  nodeId: idOf('node'),
  nodeName: z.string().min(1).max(80),
  location: LocationSchema,
});
export type PlacementCandidate = z.output<typeof PlacementCandidateSchema>;

/** Revision 0 of a placement that may happen. */
export const PlacementSought = event(
  'containers.PlacementSought',
  z.strictObject({
    placementId: staff(idOf('placement')),
    containerId: staff(idOf('container')),
    vector: staff(ResourceVectorSchema),
    candidates: staff(z.array(PlacementCandidateSchema).min(1).max(MAX_CANDIDATES)),
    asOf,
    notAfter: staff(InstantSchema),
  }),
);

/** Revision 0 of a placement that was undone before it began: it never happens. */
export const PlacementAbandoned = event(
  'containers.PlacementAbandoned',
  z.strictObject({ placementId: staff(idOf('placement')) }),
);

/** A range of addresses, as its pool registered it; never changes. */
export const RangeFactsSchema = z.strictObject({
  rangeId: idOf('range'),
  cidr: z.string().max(60),
  location: LocationSchema,
  family: FamilySchema,
  gateway: z.string().max(60).nullable(),
  /** Offsets in the prefix that are never leased, ascending. */
  reserved: z.array(z.number().int().min(0).max(4095)).max(4096),
  /** How long a released address rests before its next lease. */
  coolDownSeconds: z
    .number()
    .int()
    .min(0)
    .max(31 * 86_400),
});
export type RangeFacts = z.output<typeof RangeFactsSchema>;

/** Revision 0 of a lease that may happen. */
export const LeaseSought = event(
  'containers.LeaseSought',
  z.strictObject({
    leaseId: staff(idOf('lease')),
    containerId: staff(idOf('container')),
    candidates: staff(z.array(idOf('range')).min(1).max(MAX_CANDIDATES)),
    asOf,
    notAfter: staff(InstantSchema),
  }),
);

/** Revision 0 of a lease that was given back before it began: it never happens. */
export const LeaseAbandoned = event(
  'containers.LeaseAbandoned',
  z.strictObject({ leaseId: staff(idOf('lease')) }),
);

export const placementEvents = [PlacementSought, PlacementAbandoned] as const;
export const leaseEvents = [LeaseSought, LeaseAbandoned] as const;
