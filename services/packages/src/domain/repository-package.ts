/** A package as a repository offers it: what a snapshot has a line for. */
import { PackageSchema } from '@bivouac/events/packages';
import { z } from 'zod';

const capabilities = z.array(z.string());

export const RepositoryPackageSchema = PackageSchema.extend({
  /** Where its file is, below the repository's base. */
  location: z.string(),
  /** Hex SHA-256 of its file. */
  checksum: z.string().regex(/^[0-9a-f]{64}$/),
  /** Bytes of its file, and of what it installs. */
  size: z.number().int().min(0),
  installedSize: z.number().int().min(0),
  /** As {@link capabilityText} writes them. */
  provides: capabilities,
  requires: capabilities,
  conflicts: capabilities,
  obsoletes: capabilities,
  /** The files that primary metadata names: those below /etc and in a `bin`, and few others. */
  files: z.array(z.string()),
});
export type RepositoryPackage = z.output<typeof RepositoryPackageSchema>;
