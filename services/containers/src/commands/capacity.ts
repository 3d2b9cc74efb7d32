/** Commands of this context's own reactions on placements, nodes, leases and ranges. */
import {
  AddressLeased,
  LeaseVoided,
  MAX_CANDIDATES,
  NodeCapacityTaken,
  PlacementCandidateSchema,
  PlacementSought,
  PlacementVoided,
  RangeFactsSchema,
} from '@bivouac/events/containers';
import { command, is, type Recorded } from '@bivouac/events/language';
import { AddressSchema, idOf, InstantSchema, ResourceVectorSchema } from '@bivouac/events/values';
import { handler } from '@bivouac/infra/runtime';
import { z } from 'zod';

import { releasePlacement, takeCapacity } from '../domain/node.ts';
import { leaseAddresses, releaseLeases } from '../domain/range.ts';
import { abandonLease, abandonPlacement, seekLease, seekPlacement } from '../domain/seeking.ts';
import { lease, node, placement, range, streamOf } from './aggregates.ts';

/** Whose a placement's or lease's stream is. */
const owner = { tenantId: idOf('tenant'), homeId: z.string().max(100) };
const ofTenant = (input: { readonly tenantId: string; readonly homeId: string }) => ({
  tenantId: input.tenantId,
  homeId: input.homeId,
});
const nothing = z.strictObject({});
const seeking = { asOf: z.string().max(40).nullable(), notAfter: InstantSchema };

export const SeekPlacement = command({
  name: 'containers.SeekPlacement',
  access: 'internal',
  input: z.strictObject({
    ...owner,
    placementId: idOf('placement'),
    containerId: idOf('container'),
    vector: ResourceVectorSchema,
    candidates: z.array(PlacementCandidateSchema).min(1).max(MAX_CANDIDATES),
    ...seeking,
  }),
  /** The candidates on record; undefined where another command has recorded them. */
  result: z.strictObject({ candidates: z.array(PlacementCandidateSchema).optional() }),
});

export const AbandonPlacement = command({
  name: 'containers.AbandonPlacement',
  access: 'internal',
  input: z.strictObject({ ...owner, placementId: idOf('placement') }),
  result: nothing,
});

export const TakeCapacity = command({
  name: 'containers.TakeCapacity',
  access: 'internal',
  input: z.strictObject({
    nodeId: idOf('node'),
    placementId: idOf('placement'),
    containerId: idOf('container'),
    vector: ResourceVectorSchema,
    notAfter: InstantSchema,
  }),
  /** `standing`: decided by another command before; the node's state says how. */
  result: z.strictObject({ outcome: z.enum(['taken', 'no-room', 'standing']) }),
});

/**
 * `late`: the tombstone came after the deadline, when what others have declined may be forgotten. So it
 * does not say that no other candidate has what is given back.
 */
const givenBack = z.strictObject({ late: z.boolean() });

export const ReleasePlacement = command({
  name: 'containers.ReleasePlacement',
  access: 'internal',
  input: z.strictObject({
    nodeId: idOf('node'),
    placementId: idOf('placement'),
    notAfter: InstantSchema.optional(),
  }),
  result: givenBack,
});

export const SeekLease = command({
  name: 'containers.SeekLease',
  access: 'internal',
  input: z.strictObject({
    ...owner,
    leaseId: idOf('lease'),
    containerId: idOf('container'),
    candidates: z.array(idOf('range')).min(1).max(MAX_CANDIDATES),
    ...seeking,
  }),
  result: nothing,
});

export const AbandonLease = command({
  name: 'containers.AbandonLease',
  access: 'internal',
  input: z.strictObject({ ...owner, leaseId: idOf('lease') }),
  result: nothing,
});

export const LeaseAddresses = command({
  name: 'containers.LeaseAddresses',
  access: 'internal',
  input: z.strictObject({
    rangeId: idOf('range'),
    facts: RangeFactsSchema.optional(),
    leaseIds: z.array(idOf('lease')).min(1).max(64),
    /** For a single lease: this very address or none. */
    address: AddressSchema.optional(),
    containerId: idOf('container'),
    notAfter: InstantSchema,
  }),
  /** Ids in neither were decided by another command before; the range's state says how. */
  result: z.strictObject({
    leased: z.array(z.strictObject({ leaseId: idOf('lease'), address: z.string() })),
    noRoom: z.array(idOf('lease')),
  }),
});

export const ReleaseLeases = command({
  name: 'containers.ReleaseLeases',
  access: 'internal',
  input: z.strictObject({
    rangeId: idOf('range'),
    leaseIds: z.array(idOf('lease')).min(1).max(64),
    notAfter: InstantSchema.optional(),
  }),
  result: givenBack,
});

function isLateTombstone(event: Recorded): boolean {
  if (is(event, PlacementVoided)) return event.time > event.data.notAfter;
  return is(event, LeaseVoided) && event.time > event.data.notAfter;
}

export const capacityCommands = [
  handler(SeekPlacement, placement, {
    stream: ({ placementId }) => streamOf.placement(placementId),
    owner: ofTenant,
    decide: (state, { tenantId: _tenant, homeId: _home, ...input }) => seekPlacement(state, input),
    result: (events) => {
      const sought = events.find((event) => is(event, PlacementSought));
      return sought === undefined ? {} : { candidates: sought.data.candidates };
    },
  }),
  handler(AbandonPlacement, placement, {
    stream: ({ placementId }) => streamOf.placement(placementId),
    owner: ofTenant,
    decide: (state, { placementId }) => abandonPlacement(state, { placementId }),
    result: () => ({}),
  }),
  handler(TakeCapacity, node, {
    stream: ({ nodeId }) => streamOf.node(nodeId),
    decide: takeCapacity,
    result: ([event]) => {
      if (event === undefined) return { outcome: 'standing' as const };
      return { outcome: is(event, NodeCapacityTaken) ? ('taken' as const) : ('no-room' as const) };
    },
  }),
  handler(ReleasePlacement, node, {
    stream: ({ nodeId }) => streamOf.node(nodeId),
    decide: releasePlacement,
    result: (events) => ({ late: events.some(isLateTombstone) }),
  }),
  handler(SeekLease, lease, {
    stream: ({ leaseId }) => streamOf.lease(leaseId),
    owner: ofTenant,
    decide: (state, { tenantId: _tenant, homeId: _home, ...input }) => seekLease(state, input),
    result: () => ({}),
  }),
  handler(AbandonLease, lease, {
    stream: ({ leaseId }) => streamOf.lease(leaseId),
    owner: ofTenant,
    decide: (state, { leaseId }) => abandonLease(state, { leaseId }),
    result: () => ({}),
  }),
  handler(LeaseAddresses, range, {
    stream: ({ rangeId }) => streamOf.range(rangeId),
    owner: () => 'platform' as const,
    decide: leaseAddresses,
    result: (events) => ({
      leased: events
        .filter((event) => is(event, AddressLeased))
        .map(({ data: { leaseId, address } }) => ({ leaseId, address })),
      noRoom: events.filter((event) => is(event, LeaseVoided)).map(({ data }) => data.leaseId),
    }),
  }),
  handler(ReleaseLeases, range, {
    stream: ({ rangeId }) => streamOf.range(rangeId),
    owner: () => 'platform' as const,
    decide: releaseLeases,
    result: (events) => ({ late: events.some(isLateTombstone) }),
  }),
];
