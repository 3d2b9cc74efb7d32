/** An installed RPM package, as inventories list it. */
import { z } from 'zod';

/** A package's name, e.g. `openssl-libs`. */
export const PackageNameSchema = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_+.-]{0,199}$/, {
  error: 'expected a package name like openssl-libs',
});

/** A version or release: rpm allows neither `-` nor white space in them. */
const PartSchema = z.string().regex(/^[A-Za-z0-9._+~^]{1,100}$/, {
  error: 'expected a version or release of letters, digits and . _ + ~ ^',
});

export const PackageSchema = z.strictObject({
  name: PackageNameSchema,
  /** 0 where the package states none: rpm compares them alike. */
  epoch: z.number().int().min(0).max(4_294_967_295),
  version: PartSchema,
  release: PartSchema,
  arch: z.string().regex(/^[a-z0-9_]{1,30}$/, { error: 'expected an architecture like x86_64' }),
  summary: z.string().max(300).optional(),
});
export type Package = z.output<typeof PackageSchema>;
