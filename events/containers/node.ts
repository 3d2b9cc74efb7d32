/**
 * Events of a node's stream, `node-<nod id>`: what it has and which placements take how much of it.
 * The exact revision decides: two placements never both get the last room.
 */
import { z } from 'zod';

import { event, staff } from '../language/index.ts';
import { idOf, InstantSchema, ResourceVectorSchema, UInt64Schema } from '../values/index.ts';

const nodeId = staff(idOf('node'));
const placementId = staff(idOf('placement'));

/** What a node has to give. CPU in thousandths, before overcommitment; bytes as decimal strings. */
export const NodeCapacitySchema = z.strictObject({
  containers: z.number().int().min(1).max(1_000_000),
  cpuMillis: z.number().int().min(1).max(1_000_000_000),
  memoryBytes: UInt64Schema,
  diskBytes: UInt64Schema,
});
export type NodeCapacity = z.output<typeof NodeCapacitySchema>;

/** A place of nodes and pools, e.g. `fra1`. */
export const LocationSchema = z
  .string()
  .max(40)
  .regex(/^[a-z0-9][a-z0-9-]*$/, { error: 'expected a location like fra1' });

export const NodeRegistered = event(
  'containers.NodeRegistered',
  z.strictObject({
    nodeId,
    name: staff(z.string().min(1).max(80)),
    location: staff(LocationSchema),
    /** e.g. `lxd 5.0.2` or `fake`. */
    engine: staff(z.string().min(1).max(80)),
    /** e.g. `disk.quota`, `network.antispoof`; sorted. */
    features: staff(z.array(z.string().min(1).max(60)).max(100)),
    capacity: staff(NodeCapacitySchema),
    /** CPU that may be promised, in per cent of what there is. Nothing else is overcommitted. */
    cpuOvercommitPercent: staff(z.number().int().min(100).max(10_000)),
  }),
);

export const NodeCapacityTaken = event(
  'containers.NodeCapacityTaken',
  z.strictObject({
    nodeId,
    placementId,
    containerId: staff(idOf('container')),
    vector: staff(ResourceVectorSchema),
    /** Until then a late repeat of the taking may come; it is remembered that long. */
    notAfter: staff(InstantSchema),
  }),
);

export const NodeCapacityFreed = event(
  'containers.NodeCapacityFreed',
  z.strictObject({ nodeId, placementId }),
);

/**
 * This placement takes nothing here, for ever. `no-room`: it was asked and there was none, so the
 * next candidate is asked. `released`: it was given back before it was taken; a late take is refused
 * and no further candidate asked.
 */
export const PlacementVoided = event(
  'containers.PlacementVoided',
  z.strictObject({
    nodeId,
    placementId,
    reason: staff(z.enum(['no-room', 'released'])),
    notAfter: staff(InstantSchema),
  }),
);

export const nodeEvents = [
  NodeRegistered,
  NodeCapacityTaken,
  NodeCapacityFreed,
  PlacementVoided,
] as const;
