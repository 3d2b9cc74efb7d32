/** Which packages an image or a container has, which containers have a package, what is newer. */
import { PackageNameSchema, PackageSchema } from '@bivouac/events/packages';
import { query, PageArgsSchema, pageSchema } from '@bivouac/events/language';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

/** `[epoch:]version[-release]`, e.g. `1:3.0.7-27.el9`. */
export const EvrTextSchema = z
  .string()
  .regex(/^(\d{1,10}:)?[A-Za-z0-9._+~^]{1,100}(-[A-Za-z0-9._+~^]{1,100})?$/, {
    error: 'expected [epoch:]version[-release], e.g. 1:3.0.7-27.el9',
  });

/** A package with its `evr` as text: `epoch:version-release`, the epoch left out where it is 0. */
export const PackageViewSchema = PackageSchema.extend({ evr: z.string() });
export type PackageView = z.output<typeof PackageViewSchema>;

/**
 * An image's packages by name, then by EVR; null where none were recorded. Refusal:
 * INVENTORY_MISSING.
 */
export const PackagesOfImage = query({
  name: 'packages.PackagesOfImage',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ imageId: idOf('image'), page: PageArgsSchema }),
  result: pageSchema(PackageViewSchema).extend({ total: z.number().int() }).nullable(),
});

/** A container's packages by name, then by EVR; null where it is unknown, foreign or deleted. */
export const PackagesOfContainer = query({
  name: 'packages.PackagesOfContainer',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({ containerId: idOf('container'), page: PageArgsSchema }),
  result: pageSchema(PackageViewSchema)
    .extend({
      total: z.number().int(),
      /** How many differ from the base list. */
      added: z.number().int(),
      removed: z.number().int(),
      observedAt: InstantSchema,
    })
    .nullable(),
});

/** The caller's containers that have a package, at all or below an EVR; oldest first. */
export const ContainersWithPackage = query({
  name: 'packages.ContainersWithPackage',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({
    name: PackageNameSchema,
    /** Only installed versions that rpm sorts below this one. */
    lessThanEvr: EvrTextSchema.optional(),
    page: PageArgsSchema,
  }),
  result: pageSchema(
    z.object({
      containerId: idOf('container'),
      tenantId: idOf('tenant'),
      packages: z.array(PackageViewSchema).min(1),
    }),
  ),
});

/** Which of two rpm would sort higher: -1, 0 or 1. */
export const CompareEvr = query({
  name: 'packages.CompareEvr',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ a: EvrTextSchema, b: EvrTextSchema }),
  result: z.object({ order: z.union([z.literal(-1), z.literal(0), z.literal(1)]) }),
});
