/**
 * Events of RPM inventories, `inventory-<img id>` (platform) and `inventory-<ctr id>` (in its
 * tenant's home). The lists are blobs; a container refers to one and records its differences.
 */
import { z } from 'zod';

import { customer, event } from '../language/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';
import { PackageSchema } from './package.ts';

/** Hex SHA-256 of an inventory blob: canonical JSON of packages in {@link PackageSchema}'s order. */
export const InventoryDigestSchema = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * A package list is stored and can be named by its digest, e.g. by an image yet to be registered. Its
 * stream, `packagelist-<digest>`, is the list's own.
 */
export const PackageListRecorded = event(
  'packages.PackageListRecorded',
  z.strictObject({
    inventory: customer(InventoryDigestSchema),
    count: customer(z.number().int().min(0)),
  }),
);

/** What an image has installed. Recorded once: an image's content never changes. */
export const ImageInventoryRecorded = event(
  'packages.ImageInventoryRecorded',
  z.strictObject({
    imageId: customer(idOf('image')),
    inventory: customer(InventoryDigestSchema),
    count: customer(z.number().int().min(0)),
  }),
);

/**
 * What a container has installed: the base without `removed` and with `added`. The base is its
 * image's inventory, or a list of its own where the differences have outgrown an event.
 */
export const ContainerInventoryRecorded = event(
  'packages.ContainerInventoryRecorded',
  z.strictObject({
    containerId: customer(idOf('container')),
    tenantId: customer(idOf('tenant')),
    base: customer(InventoryDigestSchema),
    added: customer(z.array(PackageSchema)),
    removed: customer(z.array(PackageSchema)),
    observedAt: customer(InstantSchema),
    /** With the first record: the name of the image it was made from. */
    image: customer(z.string().min(1).max(80)).optional(),
    /** The operation that changed them; absent where nobody of ours did. */
    operationId: customer(idOf('operation')).optional(),
  }),
);

/** The container is gone, and what it had installed with it. */
export const ContainerInventoryEnded = event(
  'packages.ContainerInventoryEnded',
  z.strictObject({
    containerId: customer(idOf('container')),
    tenantId: customer(idOf('tenant')),
  }),
);

export const inventoryEvents = [
  PackageListRecorded,
  ImageInventoryRecorded,
  ContainerInventoryRecorded,
  ContainerInventoryEnded,
] as const;
