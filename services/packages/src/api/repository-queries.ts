/** What repositories offer: packages, owners of files, updates of a container, its package changes. */
import { PageArgsSchema, pageSchema, query } from '@bivouac/events/language';
import {
  ChangesArgsSchema,
  ChangesSchema,
  HistoryArgsSchema,
  HistoryPageSchema,
} from '@bivouac/events/operations';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

import { PackageViewSchema } from './queries.ts';

export const RepositoryViewSchema = z.object({
  id: idOf('repository'),
  name: z.string(),
  /** Of the staff alone: null for others. */
  baseUrl: z.string().nullable(),
  arch: z.string(),
  enabled: z.boolean(),
  /** Names of the images whose containers it is for; null: all. */
  images: z.array(z.string()).nullable(),
  /** The snapshot in force; null before the first. */
  snapshot: z
    .object({
      digest: z.string(),
      revision: z.string(),
      packages: z.number().int(),
      readAt: InstantSchema,
    })
    .nullable(),
  createdAt: InstantSchema,
});
export type RepositoryView = z.output<typeof RepositoryViewSchema>;

/** The package as its repository offers it. */
export const OfferedPackageSchema = PackageViewSchema.extend({
  /** Bytes of its file, and of what it installs, as decimal text. */
  size: z.string(),
  installedSize: z.string(),
});
export type OfferedPackage = z.output<typeof OfferedPackageSchema>;

export const RepositoryById = query({
  name: 'packages.RepositoryById',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ repositoryId: idOf('repository') }),
  result: RepositoryViewSchema.nullable(),
});

/** Repositories, oldest first. */
export const Repositories = query({
  name: 'packages.Repositories',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ enabled: z.boolean().optional(), page: PageArgsSchema }),
  result: pageSchema(RepositoryViewSchema),
});

/** What happened to a repository; null where there is none. */
export const RepositoryHistory = query({
  name: 'packages.RepositoryHistory',
  access: 'tenant',
  right: 'history.read',
  input: z.strictObject({ repositoryId: idOf('repository'), page: HistoryArgsSchema }),
  result: HistoryPageSchema.nullable(),
});

/** What changed about a repository. Null: there is none. */
export const RepositoryChanges = query({
  name: 'packages.RepositoryChanges',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ repositoryId: idOf('repository'), page: ChangesArgsSchema }),
  result: ChangesSchema.nullable(),
});

/**
 * What the snapshot in force offers, by name, then by EVR; null where there is no such repository.
 * Refusal: SNAPSHOT_MISSING.
 */
export const PackagesOfRepository = query({
  name: 'packages.PackagesOfRepository',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({
    repositoryId: idOf('repository'),
    /** Only packages whose names begin so. */
    namePrefix: z.string().max(200).optional(),
    arch: z.string().max(30).optional(),
    page: PageArgsSchema,
  }),
  result: pageSchema(OfferedPackageSchema).extend({ total: z.number().int() }).nullable(),
});

/**
 * Which packages a file belongs to, in the enabled repositories: their newest versions, by name. Of
 * files that primary metadata lists: those below /etc, in a `bin`, and few others. Refusal:
 * SNAPSHOT_MISSING.
 */
export const PackagesWithFile = query({
  name: 'packages.PackagesWithFile',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({
    path: z
      .string()
      .max(1000)
      .regex(/^\/./, { error: 'expected an absolute path, e.g. /usr/bin/vim' }),
    page: PageArgsSchema,
  }),
  result: pageSchema(OfferedPackageSchema).extend({ total: z.number().int() }),
});

/**
 * What could be upgraded in a container by the enabled repositories, dependencies not considered; by
 * name. Null where it is unknown, foreign or deleted. Refusals: INVENTORY_MISSING, SNAPSHOT_MISSING.
 */
export const UpdatesOfContainer = query({
  name: 'packages.UpdatesOfContainer',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({ containerId: idOf('container'), page: PageArgsSchema }),
  result: pageSchema(
    z.object({
      installed: PackageViewSchema,
      /** Of the same name, or of one that takes its place. */
      available: OfferedPackageSchema,
      /** The name of the repository that has it. */
      repository: z.string(),
    }),
  )
    .extend({ total: z.number().int() })
    .nullable(),
});

/**
 * What an operation on packages came to, and what became of it; null where it was never resolved, is
 * unknown or foreign.
 */
export const PackageTransactionOfOperation = query({
  name: 'packages.PackageTransactionOfOperation',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({ operationId: idOf('operation') }),
  result: z
    .object({
      install: z.array(PackageViewSchema),
      upgrade: z.array(PackageViewSchema),
      remove: z.array(PackageViewSchema),
      /** Null until it is done. */
      report: z
        .object({
          added: z.array(PackageViewSchema),
          removed: z.array(PackageViewSchema),
          configFiles: z.array(z.string()),
          output: z.string(),
        })
        .nullable(),
    })
    .nullable(),
});

/**
 * How a container's packages came to be what they are, change by change, oldest first; null where it
 * is unknown or foreign. Refusal: INVENTORY_MISSING.
 */
export const PackageChangesOfContainer = query({
  name: 'packages.PackageChangesOfContainer',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({ containerId: idOf('container'), page: PageArgsSchema }),
  result: pageSchema(
    z.object({
      observedAt: InstantSchema,
      /** The operation that did it; null where it was seen only. */
      operationId: idOf('operation').nullable(),
      added: z.array(PackageViewSchema),
      removed: z.array(PackageViewSchema),
    }),
  ).nullable(),
});
