/** The shapes in which containers, nodes, images and ranges are answered. */
import {
  ImageCheckSchema,
  ImageServiceSchema,
  NodeCapacitySchema,
  NodePublicKeySchema,
  RangeFactsSchema,
  StrayReasonSchema,
} from '@bivouac/events/containers';
import { NodeInventorySchema, ObservedStateSchema } from '@bivouac/events/node';
import {
  AskNameSchema,
  HoldKindSchema,
  HostnameSchema,
  ImageFactsSchema,
  LeasedAddressSchema,
  LimitsSchema,
  PlanTermsSchema,
} from '@bivouac/events/operations';
import { idOf, InstantSchema, ResourceVectorSchema } from '@bivouac/events/values';
import { z } from 'zod';

/**
 * The first axis: what the container is meant to be. A hold never changes it: a held container is
 * `running` with a hold on it and observed stopped.
 */
export const LifecycleSchema = z.enum([
  'requested',
  'reserved',
  'building',
  'stopped',
  'running',
  'frozen',
  'deleting',
  'soft-deleted',
  'deleted',
  'failed',
]);
export type Lifecycle = z.output<typeof LifecycleSchema>;

/** What can be asked of a container, by its name in docs/container-lifecycle.md. */
export const ContainerActSchema = z.enum([
  'start',
  'stop',
  'restart',
  'freeze',
  'thaw',
  'resize',
  'attach',
  'removeAddresses',
  'packages',
  'rename',
  'softDelete',
  'restore',
  'delete',
  'hold',
]);
export type ContainerAct = z.output<typeof ContainerActSchema>;

export const ContainerViewSchema = z.object({
  id: idOf('container'),
  tenantId: idOf('tenant'),
  homeId: idOf('tenant'),
  hostname: HostnameSchema,
  lifecycle: LifecycleSchema,
  /** The operation that holds it now, and for which ask (null: the order that makes it). */
  operation: z.object({ operationId: idOf('operation'), ask: AskNameSchema.nullable() }).nullable(),
  /** While any stands it is kept stopped, and its owner cannot start it. */
  holds: z.array(
    z.object({
      holdId: idOf('hold'),
      kind: HoldKindSchema,
      reason: z.string(),
      placedAt: InstantSchema,
    }),
  ),
  /** What it would not refuse now; whether the caller may ask for it is another matter. */
  possible: z.array(ContainerActSchema),
  /** What its node last reported or confirmed; null before there was anything to see. */
  observed: z
    .object({ state: ObservedStateSchema, generation: z.number().int(), at: InstantSchema })
    .nullable(),
  plan: PlanTermsSchema,
  limits: LimitsSchema,
  image: ImageFactsSchema.pick({ imageId: true, name: true, digest: true, inventory: true }),
  /** Addresses it answers on; of a deleted one: those it last had. */
  addresses: z.array(LeasedAddressSchema),
  location: z.string().nullable(),
  /** For the staff; null for everybody else and before it has a place. */
  node: z.object({ id: idOf('node'), name: z.string() }).nullable(),
  /** Raised by placement and by deletion; 0 before it has a place. */
  generation: z.number().int(),
  /** When it ran first: charging starts here. */
  runningSince: InstantSchema.nullable(),
  createdAt: InstantSchema,
  /** When it was deleted for its owner; null once it is restored. */
  softDeletedAt: InstantSchema.nullable(),
  /** Until when it can be restored. */
  restoreUntil: InstantSchema.nullable(),
  /** When it was deleted or failed for good. */
  endedAt: InstantSchema.nullable(),
  /** Position of its first event: the order of lists. */
  position: z.string(),
});
export type ContainerView = z.output<typeof ContainerViewSchema>;

export const NodeViewSchema = z.object({
  id: idOf('node'),
  name: z.string(),
  location: z.string(),
  engine: z.string(),
  features: z.array(z.string()),
  capacity: NodeCapacitySchema,
  cpuOvercommitPercent: z.number().int(),
  /** What placements take; addresses are not a node's. */
  used: ResourceVectorSchema,
  /** What is left, CPU with overcommitment. */
  free: ResourceVectorSchema,
  placements: z.number().int(),
  /** Words of the staff, sorted. */
  labels: z.array(z.string()),
  /** Why it takes no new placements; null where it does. */
  drained: z.object({ reason: z.string(), at: InstantSchema }).nullable(),
  /** What its agent last said it has; null before it came. */
  inventory: NodeInventorySchema.extend({ at: InstantSchema }).nullable(),
  /** The key its agent proves itself by; null where none is enrolled. */
  identity: z.object({ publicKey: NodePublicKeySchema, since: InstantSchema }).nullable(),
  /** A token is open for the enrolment of a key. */
  enrolment: z.object({ expiresAt: InstantSchema }).nullable(),
  /** Keys that were its identity once; oldest first. */
  revokedKeys: z.array(z.object({ publicKey: NodePublicKeySchema, at: InstantSchema })),
  createdAt: InstantSchema,
  position: z.string(),
});
export type NodeView = z.output<typeof NodeViewSchema>;

export const ImageStatusSchema = z.enum([
  'drafted',
  'tested',
  'published',
  'deprecated',
  'withdrawn',
]);

export const ImageViewSchema = z.object({
  id: idOf('image'),
  name: z.string(),
  status: ImageStatusSchema,
  digest: z.string(),
  /** Hex SHA-256 of the blob with its RPM inventory. */
  inventory: z.string(),
  services: z.array(ImageServiceSchema),
  checks: z.array(ImageCheckSchema),
  /** For the staff; null for everybody else. */
  source: z.string().nullable(),
  technician: z.string().nullable(),
  testedAt: InstantSchema.nullable(),
  publishedAt: InstantSchema.nullable(),
  /** Since when and why it takes no new orders; null while it does, or never did. */
  retired: z.object({ reason: z.string(), at: InstantSchema }).nullable(),
  createdAt: InstantSchema,
  position: z.string(),
});
export type ImageView = z.output<typeof ImageViewSchema>;

export const RangeViewSchema = RangeFactsSchema.omit({ reserved: true }).extend({
  /** Addresses that can be leased at all. */
  size: z.number().int(),
  leased: z.number().int(),
  createdAt: InstantSchema,
  position: z.string(),
});
export type RangeView = z.output<typeof RangeViewSchema>;

/** Where what is wanted of a container is not what its node sees. */
export const DifferenceViewSchema = z.object({
  containerId: idOf('container'),
  tenantId: idOf('tenant'),
  nodeId: idOf('node').nullable(),
  wanted: z.enum(['running', 'stopped', 'frozen']),
  observed: ObservedStateSchema,
  /** Since when. */
  since: InstantSchema,
  /** What a reconciliation does about it; `none`: staff must look, it would lose data. */
  action: z.enum(['start', 'stop', 'freeze', 'thaw', 'none']),
});
export type DifferenceView = z.output<typeof DifferenceViewSchema>;

/** An instance on a node that is nobody's there. */
export const StrayViewSchema = z.object({
  nodeId: idOf('node'),
  containerId: idOf('container'),
  generation: z.number().int(),
  state: ObservedStateSchema,
  why: StrayReasonSchema,
  seenAt: InstantSchema,
  /** The last destruction that was ordered; `outcome` null while the node has not answered. */
  destruction: z
    .object({
      orderedAt: InstantSchema,
      outcome: z.enum(['refused', 'failed', 'timed-out']).nullable(),
      message: z.string().nullable(),
    })
    .nullable(),
});
export type StrayView = z.output<typeof StrayViewSchema>;
