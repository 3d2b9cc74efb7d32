/** Recording what images and containers have installed. */
import { InventoryDigestSchema, PackageSchema } from '@bivouac/events/packages';
import { command } from '@bivouac/events/language';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

const packages = z.array(PackageSchema).max(50_000);

/**
 * Stores a package list, so that an image can be registered with its digest; the image's inventory
 * is then recorded by itself. Refusal: PACKAGE_TWICE.
 */
export const RecordPackageList = command({
  name: 'packages.RecordPackageList',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({ packages }),
  result: z.strictObject({
    /** Hex SHA-256 of the stored list, for the image's `inventory`. */
    inventory: InventoryDigestSchema,
    count: z.number().int(),
  }),
});

/** The list that an image was drafted with is its inventory. */
export const AdoptImageInventory = command({
  name: 'packages.AdoptImageInventory',
  access: 'internal',
  input: z.strictObject({
    imageId: idOf('image'),
    inventory: InventoryDigestSchema,
    count: z.number().int().min(0),
  }),
  result: z.strictObject({}),
});

/**
 * Stores an image's package list and records its digest. The same list again changes nothing.
 * Refusals: PACKAGE_TWICE, IMAGE_INVENTORY_FIXED.
 */
export const RecordImageInventory = command({
  name: 'packages.RecordImageInventory',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({ imageId: idOf('image'), packages }),
  result: z.strictObject({
    imageId: idOf('image'),
    /** Hex SHA-256 of the stored list, for the image's `inventory`. */
    inventory: InventoryDigestSchema,
    count: z.number().int(),
  }),
});

/** A container begins with its image's list; of one that has begun: nothing happens. */
export const StartContainerInventory = command({
  name: 'packages.StartContainerInventory',
  access: 'internal',
  input: z.strictObject({
    containerId: idOf('container'),
    tenantId: idOf('tenant'),
    homeId: idOf('tenant'),
    base: InventoryDigestSchema,
    /** Its image's name. */
    image: z.string().min(1).max(80),
    observedAt: InstantSchema,
  }),
  result: z.strictObject({}),
});

/**
 * What a node found installed in a container, the whole list: recorded as differences to `base`. An
 * observation that is older than the recorded one, says the same or comes after the container's end
 * changes nothing. Refusals:
 * PACKAGE_TWICE, INVENTORY_UNKNOWN, INVENTORY_MISSING.
 */
export const RecordContainerInventory = command({
  name: 'packages.RecordContainerInventory',
  access: 'internal',
  input: z.strictObject({
    containerId: idOf('container'),
    /** Digest of its image's inventory. */
    base: InventoryDigestSchema,
    packages,
    observedAt: InstantSchema,
    /** The operation that changed them, if one did. */
    operationId: idOf('operation').optional(),
  }),
  result: z.strictObject({ changed: z.boolean() }),
});

/** The container is gone. */
export const EndContainerInventory = command({
  name: 'packages.EndContainerInventory',
  access: 'internal',
  input: z.strictObject({ containerId: idOf('container') }),
  result: z.strictObject({}),
});
