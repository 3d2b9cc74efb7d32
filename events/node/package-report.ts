/** What a node says of a container's packages once it has changed them, or looked. */
import { z } from 'zod';

import { PackageReportSchema } from '../operations/index.ts';
import { PackageSchema } from '../packages/index.ts';

/** A report with the whole list in it, which is stored as a blob before anything refers to it. */
export const NodePackageReportSchema = PackageReportSchema.omit({ inventory: true }).extend({
  /** Everything installed, in any order. */
  installed: z.array(PackageSchema).max(20_000),
});
export type NodePackageReport = z.output<typeof NodePackageReportSchema>;
