/** What the outside may have done: images, nodes and ranges by the staff, a new name by the owner. */
import {
  DigestSchema,
  ImageCheckSchema,
  ImageServiceSchema,
  ImageSourceSchema,
  LocationSchema,
  NodeCapacitySchema,
  NodeLabelSchema,
  TechnicianSchema,
} from '@bivouac/events/containers';
import { command } from '@bivouac/events/language';
import { EnrolmentTokenSchema } from '@bivouac/events/node';
import { HostnameSchema } from '@bivouac/events/operations';
import { AddressSchema, CidrSchema, idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

const name = z
  .string()
  .trim()
  .min(1)
  .max(80)
  .regex(/^\P{Cc}+$/u, { error: 'expected a name without control characters' });

/**
 * Drafts an image. Its RPM inventory must be in the blob store before.
 * Refused: IMAGE_INVENTORY_MISSING.
 */
export const RegisterImage = command({
  name: 'containers.RegisterImage',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({
    name,
    digest: DigestSchema,
    source: ImageSourceSchema,
    inventory: DigestSchema,
    services: z.array(ImageServiceSchema).max(16),
  }),
  result: z.strictObject({ imageId: idOf('image') }),
});

/** Records a technician's test. Refused: IMAGE_UNKNOWN, IMAGE_ALREADY_PUBLISHED. */
export const TestImage = command({
  name: 'containers.TestImage',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({
    imageId: idOf('image'),
    technician: TechnicianSchema,
    checks: z.array(ImageCheckSchema).min(1).max(100),
  }),
  result: z.strictObject({ imageId: idOf('image') }),
});

/** Lets an image be ordered. Refused: IMAGE_UNKNOWN, IMAGE_NOT_TESTED, IMAGE_TEST_FAILED. */
export const PublishImage = command({
  name: 'containers.PublishImage',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({ imageId: idOf('image') }),
  result: z.strictObject({ imageId: idOf('image') }),
});

const reason = z.string().trim().min(1).max(500);

/**
 * Takes a published image from the offer; what was made from it stays.
 * Refused: IMAGE_UNKNOWN, IMAGE_NOT_PUBLISHED, IMAGE_WITHDRAWN.
 */
export const DeprecateImage = command({
  name: 'containers.DeprecateImage',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({ imageId: idOf('image'), reason }),
  result: z.strictObject({ imageId: idOf('image') }),
});

/** Forbids an image for ever. Refused: IMAGE_UNKNOWN. */
export const WithdrawImage = command({
  name: 'containers.WithdrawImage',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({ imageId: idOf('image'), reason }),
  result: z.strictObject({ imageId: idOf('image') }),
});

const ofNode = { nodeId: idOf('node') };

/** Sets all labels of a node. Refused: NODE_UNKNOWN. */
export const LabelNode = command({
  name: 'containers.LabelNode',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({ ...ofNode, labels: z.array(NodeLabelSchema).max(50) }),
  result: z.strictObject(ofNode),
});

/**
 * Lets whoever shows the token enrol a key of the node, once, until it expires; a token opened before
 * is void. The key the node has stays good until then. Refused: NODE_UNKNOWN.
 */
export const OpenNodeEnrolment = command({
  name: 'containers.OpenNodeEnrolment',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({
    ...ofNode,
    validSeconds: z
      .number()
      .int()
      .min(60)
      .max(7 * 86_400)
      .default(3600),
  }),
  result: z.strictObject({
    ...ofNode,
    /** In the first reply only: it is stored nowhere. Where that was lost, open another. */
    token: EnrolmentTokenSchema.nullable(),
    expiresAt: InstantSchema,
  }),
});

/** Ends the node's key and an open token, for ever. Refused: NODE_UNKNOWN. */
export const RevokeNodeIdentity = command({
  name: 'containers.RevokeNodeIdentity',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({ ...ofNode, reason }),
  result: z.strictObject(ofNode),
});

/** No new placements on it; what is there stays. Refused: NODE_UNKNOWN. */
export const DrainNode = command({
  name: 'containers.DrainNode',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({ ...ofNode, reason }),
  result: z.strictObject(ofNode),
});

/** Placements again. Refused: NODE_UNKNOWN. */
export const UndrainNode = command({
  name: 'containers.UndrainNode',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject(ofNode),
  result: z.strictObject(ofNode),
});

/**
 * Has every difference between what is wanted and what a node sees acted upon now, of one node or of
 * all. What would be done: the query `Differences`. Never touches instances that are nobody's.
 */
export const Reconcile = command({
  name: 'containers.Reconcile',
  access: 'staff',
  right: 'operations.repair',
  input: z.strictObject({ nodeId: idOf('node').optional() }),
  result: z.strictObject({ nodeId: idOf('node').nullable() }),
  route: () => 'reconciler',
});

/**
 * Has a stray instance destroyed by its node, with all its data; one that is being destroyed already
 * changes nothing. Refused: NODE_UNKNOWN, STRAY_UNKNOWN, STRAY_WANTED.
 */
export const DestroyStray = command({
  name: 'containers.DestroyStray',
  access: 'staff',
  right: 'operations.repair',
  input: z.strictObject({ ...ofNode, containerId: idOf('container'), reason }),
  result: z.strictObject({ ...ofNode, containerId: idOf('container') }),
  route: ({ nodeId }) => nodeId,
});

/** Registers a hardware node with what it has to give. */
export const RegisterNode = command({
  name: 'containers.RegisterNode',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({
    name,
    location: LocationSchema,
    engine: z.string().trim().min(1).max(80),
    features: z.array(z.string().trim().min(1).max(60)).max(100).default([]),
    capacity: NodeCapacitySchema,
    /** CPU that may be promised, in per cent of what there is. */
    cpuOvercommitPercent: z.number().int().min(100).max(10_000).default(400),
  }),
  result: z.strictObject({ nodeId: idOf('node') }),
});

/**
 * Registers a range in the pool of a location: at most 4,096 addresses of IPv4; of IPv6 a prefix
 * of /64 or longer, of which the first 4,096 are leased. The gateway, the first address up to /30 or
 * /126 and, for IPv4, the last one up to /30 are never leased.
 * Refused: RANGE_TOO_LARGE, RANGE_OVERLAPS, RANGE_EMPTY, RANGE_GATEWAY_OUTSIDE, RANGE_RESERVED_OUTSIDE.
 */
export const RegisterRange = command({
  name: 'containers.RegisterRange',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({
    cidr: CidrSchema,
    location: LocationSchema,
    gateway: AddressSchema.optional(),
    /** Further offsets in the prefix that are never leased. */
    reserved: z.array(z.number().int().min(0).max(4095)).max(4096).default([]),
    /** How long a released address rests before its next lease. */
    coolDownSeconds: z
      .number()
      .int()
      .min(0)
      .max(31 * 86_400)
      .default(86_400),
  }),
  result: z.strictObject({ rangeId: idOf('range') }),
});

/**
 * Gives a container another host name; its node sets it with the next network change.
 * Refused: CONTAINER_UNKNOWN, CONTAINER_GONE, HOSTNAME_TOO_LONG.
 */
export const RenameContainer = command({
  name: 'containers.RenameContainer',
  access: 'tenant',
  right: 'containers.operate',
  input: z.strictObject({ containerId: idOf('container'), hostname: HostnameSchema }),
  result: z.strictObject({ containerId: idOf('container') }),
});
