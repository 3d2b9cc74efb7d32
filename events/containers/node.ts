/**
 * Events of a node's stream, `node-<nod id>`: what it has and which placements take how much of it.
 * The exact revision decides: two placements never both get the last room.
 */
import { z } from 'zod';

import { event, staff } from '../language/index.ts';
import { NodeInventorySchema, ObservedStateSchema } from '../node/index.ts';
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

/** A reservation of the container's: a resize is known by the one it makes. */
const resizeId = staff(idOf('reservation'));
/** The ask that wants it, e.g. `op_…/resize/1`; further attempts claim the same resize. */
const claim = staff(z.string().max(120));

/**
 * A standing placement is to become another size. Until that is done, or no claim on it is left, the
 * larger of both counts, axis by axis.
 */
export const NodeCapacityResizing = event(
  'containers.NodeCapacityResizing',
  z.strictObject({
    nodeId,
    placementId,
    containerId: staff(idOf('container')),
    resizeId,
    claim,
    vector: staff(ResourceVectorSchema),
    /** Until then a late repeat may come. */
    notAfter: staff(InstantSchema),
  }),
);

/** The placement has the new size and no other. */
export const NodeCapacityResized = event(
  'containers.NodeCapacityResized',
  z.strictObject({ nodeId, placementId, resizeId }),
);

/** This claim holds nothing here, for ever; reasons as in {@link PlacementVoided}. */
export const NodeCapacityResizeVoided = event(
  'containers.NodeCapacityResizeVoided',
  z.strictObject({
    nodeId,
    placementId,
    claim,
    reason: staff(z.enum(['no-room', 'released'])),
    notAfter: staff(InstantSchema),
  }),
);

/** What its agent says the machine has and can do, where that differs from what it said before. */
export const NodeInventoryChanged = event(
  'containers.NodeInventoryChanged',
  z.strictObject({ nodeId, inventory: staff(NodeInventorySchema) }),
);

/** A word of the staff about a node, e.g. `ssd` or `rack=a12`, to be asked for in placements. */
export const NodeLabelSchema = z
  .string()
  .max(60)
  .regex(/^[a-z0-9][a-z0-9._/-]*(=[a-z0-9._/-]+)?$/, {
    error: 'expected a label like ssd or rack=a12',
  });

/** All its labels; sorted. */
export const NodeLabelled = event(
  'containers.NodeLabelled',
  z.strictObject({ nodeId, labels: staff(z.array(NodeLabelSchema).max(50)) }),
);

/** No new placements; what is placed stays, and may be resized. */
export const NodeDrained = event(
  'containers.NodeDrained',
  z.strictObject({ nodeId, reason: staff(z.string().min(1).max(500)) }),
);

export const NodeUndrained = event('containers.NodeUndrained', z.strictObject({ nodeId }));

/** An agent's public key: Ed25519, its 32 bytes in base64url (RFC 8037). */
export const NodePublicKeySchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/, {
  error: 'expected an Ed25519 public key, 32 bytes in base64url',
});

/** Lower-case hex SHA-256 of an enrolment token, which itself is kept nowhere. */
export const TokenDigestSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** Whoever shows the token until then may enrol a key of the node, once. It replaces one opened before. */
export const NodeEnrolmentOpened = event(
  'containers.NodeEnrolmentOpened',
  z.strictObject({
    nodeId,
    tokenDigest: staff(TokenDigestSchema),
    expiresAt: staff(InstantSchema),
  }),
);

/** From now on the node is whoever holds the private key of this one. */
export const NodeEnrolled = event(
  'containers.NodeEnrolled',
  z.strictObject({
    nodeId,
    publicKey: staff(NodePublicKeySchema),
    tokenDigest: staff(TokenDigestSchema),
  }),
);

/** The key is no identity of the node any more, for ever; a token that was open is void. */
export const NodeIdentityRevoked = event(
  'containers.NodeIdentityRevoked',
  z.strictObject({
    nodeId,
    /** Null where only a token was open. */
    publicKey: staff(NodePublicKeySchema.nullable()),
    reason: staff(z.string().min(1).max(500)),
  }),
);

/** Why an instance on a node is nobody's there. */
export const StrayReasonSchema = z.enum(['unknown', 'elsewhere', 'old-generation', 'gone']);
export type StrayReason = z.output<typeof StrayReasonSchema>;

/** An instance with our mark that should not be there. Never destroyed by itself. */
export const StrayInstanceSeen = event(
  'containers.StrayInstanceSeen',
  z.strictObject({
    nodeId,
    containerId: staff(idOf('container')),
    generation: staff(z.number().int().min(0)),
    state: staff(ObservedStateSchema),
    why: staff(StrayReasonSchema),
  }),
);

export const StrayInstanceGone = event(
  'containers.StrayInstanceGone',
  z.strictObject({ nodeId, containerId: staff(idOf('container')) }),
);

/**
 * Staff have it destroyed. The instruction is fenced like any other: should the container have come
 * to this node in a higher generation meanwhile, the node refuses it.
 */
export const StrayDestructionOrdered = event(
  'containers.StrayDestructionOrdered',
  z.strictObject({
    nodeId,
    containerId: staff(idOf('container')),
    instructionId: staff(idOf('instruction')),
    generation: staff(z.number().int().min(0)),
    reason: staff(z.string().min(1).max(500)),
    notAfter: staff(InstantSchema),
  }),
);

/** What became of it; with `done` the instance is gone. */
export const StrayDestructionEnded = event(
  'containers.StrayDestructionEnded',
  z.strictObject({
    nodeId,
    containerId: staff(idOf('container')),
    instructionId: staff(idOf('instruction')),
    outcome: staff(z.enum(['done', 'refused', 'failed', 'timed-out'])),
    message: staff(z.string().max(2000).optional()),
  }),
);

export const nodeEvents = [
  NodeRegistered,
  NodeCapacityTaken,
  NodeCapacityFreed,
  PlacementVoided,
  NodeCapacityResizing,
  NodeCapacityResized,
  NodeCapacityResizeVoided,
  NodeInventoryChanged,
  NodeLabelled,
  NodeDrained,
  NodeUndrained,
  StrayInstanceSeen,
  StrayInstanceGone,
  StrayDestructionOrdered,
  StrayDestructionEnded,
  NodeEnrolmentOpened,
  NodeEnrolled,
  NodeIdentityRevoked,
] as const;

/** On `reconciler-platform`: staff want every difference on a node (null: on all) acted upon now. */
export const ReconciliationOrdered = event(
  'containers.ReconciliationOrdered',
  z.strictObject({ nodeId: staff(idOf('node').nullable()) }),
);

export const reconcilerEvents = [ReconciliationOrdered] as const;
