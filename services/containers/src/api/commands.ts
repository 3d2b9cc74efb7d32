/** What the outside may have done: images, nodes and ranges by the staff, a new name by the owner. */
import {
  DigestSchema,
  ImageCheckSchema,
  ImageServiceSchema,
  ImageSourceSchema,
  LocationSchema,
  NodeCapacitySchema,
  TechnicianSchema,
} from '@bivouac/events/containers';
import { command } from '@bivouac/events/language';
import { HostnameSchema } from '@bivouac/events/operations';
import { AddressSchema, CidrSchema, idOf } from '@bivouac/events/values';
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
  input: z.strictObject({ imageId: idOf('image') }),
  result: z.strictObject({ imageId: idOf('image') }),
});

/** Registers a hardware node with what it has to give. */
export const RegisterNode = command({
  name: 'containers.RegisterNode',
  access: 'staff',
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
 * Registers a range of at most 4,096 addresses in the pool of a location. The gateway and, for IPv4
 * up to /30, the first and the last address are never leased.
 * Refused: RANGE_TOO_LARGE, RANGE_OVERLAPS, RANGE_EMPTY, RANGE_GATEWAY_OUTSIDE, RANGE_RESERVED_OUTSIDE.
 */
export const RegisterRange = command({
  name: 'containers.RegisterRange',
  access: 'staff',
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
  input: z.strictObject({ containerId: idOf('container'), hostname: HostnameSchema }),
  result: z.strictObject({ containerId: idOf('container') }),
});
