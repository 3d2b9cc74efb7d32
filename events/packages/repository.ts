/**
 * Events of package repositories, `repository-<rep id>`, of the platform. What a repository offered at
 * one moment is a snapshot: a blob with every package, read from one revision of its metadata.
 */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { idOf } from '../values/index.ts';

/** A repository's name, for ever, e.g. `el9-baseos`. */
export const RepositoryNameSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, {
  error: 'expected a name of lower-case letters, digits and . _ -, e.g. el9-baseos',
});

/**
 * Where a repository is: the folder that has `repodata/`. Plain HTTP is for this machine alone, since
 * the metadata is trusted as it comes.
 */
export const BaseUrlSchema = z.string().max(500).refine(isBaseUrl, {
  error:
    'expected https://… or file:///… of the folder that has repodata/ (http:// on this machine only), without a user, query or fragment',
});

export const ArchSchema = z
  .string()
  .regex(/^[a-z0-9_]{1,30}$/, { error: 'expected an architecture like x86_64' });

/** Names of images, e.g. `el9`; each version of an image has the same. */
export const ImageNamesSchema = z.array(z.string().min(1).max(80)).min(1).max(50);

/** Hex SHA-256 of a snapshot blob: one package a line, canonical JSON, in list order. */
export const SnapshotDigestSchema = z.string().regex(/^[0-9a-f]{64}$/);

const repositoryId = customer(idOf('repository'));

export const RepositoryRegistered = event(
  'packages.RepositoryRegistered',
  z.strictObject({
    repositoryId,
    name: customer(RepositoryNameSchema),
    baseUrl: staff(BaseUrlSchema),
    /** What its containers are built for; packages of it and `noarch` ones are offered. */
    arch: customer(ArchSchema),
    enabled: customer(z.boolean()),
    /** Only containers of images with these names are offered its packages; absent: all. */
    images: customer(ImageNamesSchema).optional(),
  }),
);

/** Transactions take packages from it again. */
export const RepositoryEnabled = event(
  'packages.RepositoryEnabled',
  z.strictObject({ repositoryId }),
);

/** Transactions take nothing from it any more; what was installed from it stays. */
export const RepositoryDisabled = event(
  'packages.RepositoryDisabled',
  z.strictObject({ repositoryId }),
);

/** What it offers, as one revision of its metadata has it; the last snapshot is in force. */
export const RepositorySnapshotRecorded = event(
  'packages.RepositorySnapshotRecorded',
  z.strictObject({
    repositoryId,
    /** As `repomd.xml` calls it, mostly the time it was made. */
    revision: customer(z.string().max(100)),
    /** Hex SHA-256 of `repomd.xml`. */
    repomd: customer(z.string().regex(/^[0-9a-f]{64}$/)),
    snapshot: customer(SnapshotDigestSchema),
    count: customer(z.number().int().min(0)),
  }),
);

export const repositoryEvents = [
  RepositoryRegistered,
  RepositoryEnabled,
  RepositoryDisabled,
  RepositorySnapshotRecorded,
] as const;

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return false;
  if (url.protocol === 'file:') return url.host === '';
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
}
