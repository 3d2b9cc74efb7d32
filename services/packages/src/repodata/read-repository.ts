/**
 * One revision of a repository's metadata, read as a whole: `repomd.xml`, then the primary metadata it
 * names, both checksums verified before anything of it counts.
 */
import { createHash } from 'node:crypto';

import type { RepositorySource } from '../adapters/repository-source.ts';
import type { RepositoryPackage } from '../domain/repository-package.ts';
import { isBelow, PrimaryParser } from './primary.ts';
import { RepodataError } from './repodata-error.ts';
import { parseRepomd, type StatedChecksum } from './repomd.ts';
import { unpacked } from './unpack.ts';

const MIB = 1024 * 1024;

/** How much of a repository is read. */
export interface ReadingLimits {
  readonly repomdBytes: number;
  readonly primaryBytes: number;
  readonly openBytes: number;
  readonly packages: number;
}

/** Fedora's largest has 70,000 packages in 25 MiB that hold 170. */
export const LIMITS: ReadingLimits = {
  repomdBytes: MIB,
  primaryBytes: 64 * MIB,
  openBytes: 512 * MIB,
  packages: 100_000,
};

export interface ReadRepository {
  readonly revision: string;
  /** Hex SHA-256 of repomd.xml. */
  readonly repomd: string;
  readonly packages: readonly RepositoryPackage[];
}

/** @throws {RepodataError} naming the file and what is wrong with it. */
export async function readRepository(
  baseUrl: string,
  source: RepositorySource,
  limits: ReadingLimits = LIMITS,
): Promise<ReadRepository> {
  const base = withSlash(baseUrl);
  const index = await source.read(base, 'repodata/repomd.xml', limits.repomdBytes);
  const { revision, primary } = parseRepomd(textOf('repodata/repomd.xml', index));
  const file = primary.href;
  if (!isBelow(file))
    throw corrupt('repodata/repomd.xml', `the primary metadata ${file} lies outside of it`);

  const content = await source.read(base, file, limits.primaryBytes);
  if (primary.size !== undefined && primary.size !== content.length)
    throw corrupt(file, `it has ${content.length} bytes, ${primary.size} were stated`);
  verify(file, 'checksum', primary.checksum, createHash(primary.checksum.type).update(content));

  const packages: RepositoryPackage[] = [];
  const parser = new PrimaryParser(file, (found) => {
    packages.push(found);
    if (packages.length > limits.packages)
      throw new RepodataError(
        'REPODATA_TOO_LARGE',
        `${file} has more than ${limits.packages} packages; split the repository.`,
      );
  });
  const opened = createHash(primary.openChecksum?.type ?? 'sha256');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const piece of unpacked(file, content, limits.openBytes)) {
    opened.update(piece);
    parser.write(decoded(file, () => decoder.decode(piece, { stream: true })));
  }
  parser.write(decoded(file, () => decoder.decode()));
  parser.end();
  if (primary.openChecksum !== undefined)
    verify(file, 'open-checksum', primary.openChecksum, opened);
  return { revision, repomd: createHash('sha256').update(index).digest('hex'), packages };
}

/** A base that files can be resolved against. */
export function withSlash(baseUrl: string): string {
  return baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`;
}

function verify(
  file: string,
  what: 'checksum' | 'open-checksum',
  stated: StatedChecksum,
  found: { digest(encoding: 'hex'): string },
): void {
  const value = found.digest('hex');
  if (value === stated.value.toLowerCase()) return;
  throw corrupt(file, `its ${stated.type} ${what} is ${value}, not ${stated.value} as stated`);
}

function textOf(file: string, content: Uint8Array): string {
  return decoded(file, () => new TextDecoder('utf-8', { fatal: true }).decode(content));
}

function decoded(file: string, decode: () => string): string {
  try {
    return decode();
  } catch (cause) {
    throw new RepodataError('REPODATA_CORRUPT', `${file} is no UTF-8; make it anew.`, { cause });
  }
}

function corrupt(file: string, why: string): RepodataError {
  return new RepodataError(
    'REPODATA_CORRUPT',
    `${file}: ${why}; it may just have changed: read it again, or make it anew.`,
  );
}
