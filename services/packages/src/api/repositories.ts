/** Registering package repositories and reading what they offer. */
import {
  ArchSchema,
  BaseUrlSchema,
  ImageNamesSchema,
  RepositoryNameSchema,
  SnapshotDigestSchema,
} from '@bivouac/events/packages';
import { command } from '@bivouac/events/language';
import { idOf } from '@bivouac/events/values';
import { z } from 'zod';

const repositoryId = idOf('repository');

/** Registers a repository; its name is for ever. Refusal: REPOSITORY_EXISTS. */
export const RegisterRepository = command({
  name: 'packages.RegisterRepository',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({
    name: RepositoryNameSchema,
    baseUrl: BaseUrlSchema,
    arch: ArchSchema,
    enabled: z.boolean().default(true),
    /** Only containers of images with these names are offered its packages. */
    images: ImageNamesSchema.optional(),
  }),
  result: z.strictObject({ repositoryId }),
});

/** Transactions take packages from it. Refusal: REPOSITORY_UNKNOWN. */
export const EnableRepository = command({
  name: 'packages.EnableRepository',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({ repositoryId }),
  result: z.strictObject({ repositoryId }),
});

/** Transactions take nothing from it; what was installed from it stays. Refusal: REPOSITORY_UNKNOWN. */
export const DisableRepository = command({
  name: 'packages.DisableRepository',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({ repositoryId }),
  result: z.strictObject({ repositoryId }),
});

/**
 * Reads the repository's metadata as it is now, checksums verified, and has it in force. The same
 * revision again changes nothing; what cannot be read leaves all as it was. Refusals:
 * REPOSITORY_UNKNOWN, REPOSITORY_UNREACHABLE, REPODATA_CORRUPT, REPODATA_UNSUPPORTED,
 * REPODATA_TOO_LARGE.
 */
export const SyncRepository = command({
  name: 'packages.SyncRepository',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({ repositoryId }),
  result: z.strictObject({
    repositoryId,
    /** Null where nothing has changed. */
    snapshot: SnapshotDigestSchema.nullable(),
    /** How many packages it offers; null where nothing has changed. */
    count: z.number().int().nullable(),
  }),
});
