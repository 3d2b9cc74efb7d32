/**
 * Snapshots of repositories in the blob store: one package a line, canonical JSON in list order, named
 * by SHA-256. Read ones are kept for a while, indexed, since they never change.
 */
import { canonicalText } from '@bivouac/events/language';
import type { EdgePorts } from '@bivouac/infra/runtime';

import { comparePackages, nevra } from './domain/package-list.ts';
import { type RepositoryPackage, RepositoryPackageSchema } from './domain/repository-package.ts';
import { indexOf, type SnapshotIndex } from './domain/solver/snapshot-index.ts';

type Blobs = EdgePorts['blobs'];

/** So many packages are kept read, at least those of the one snapshot asked for last. */
const KEPT_PACKAGES = 120_000;

/** Per blob store, oldest use first. */
const read = new WeakMap<Blobs, Map<string, Promise<SnapshotIndex | undefined>>>();
const sizes = new WeakMap<Promise<SnapshotIndex | undefined>, number>();

/** Stores what a repository offers; a package that it lists twice counts once. */
export async function storeSnapshot(
  packages: readonly RepositoryPackage[],
  blobs: Blobs,
): Promise<{ readonly snapshot: string; readonly count: number }> {
  const byNevra = new Map(packages.map((one) => [nevra(one), one]));
  const ordered = [...byNevra.values()].sort(comparePackages);
  const lines: Buffer[] = [];
  for (const [at, one] of ordered.entries()) {
    lines.push(Buffer.from(`${canonicalText(one)}\n`));
    if (at % CHUNK === CHUNK - 1) await turn();
  }
  return { snapshot: await blobs.put(Buffer.concat(lines)), count: ordered.length };
}

/** The snapshot of a digest; undefined where there is none, or what is there is none. */
export async function snapshotOf(digest: string, blobs: Blobs): Promise<SnapshotIndex | undefined> {
  const known = read.get(blobs) ?? new Map<string, Promise<SnapshotIndex | undefined>>();
  read.set(blobs, known);
  const reading = known.get(digest) ?? load(digest, blobs);
  known.delete(digest);
  known.set(digest, reading);
  try {
    const snapshot = await reading;
    if (snapshot === undefined) known.delete(digest);
    else sizes.set(reading, snapshot.packages.length);
    drop(known, digest);
    return snapshot;
  } catch (error) {
    known.delete(digest);
    throw error;
  }
}

function drop(known: Map<string, Promise<SnapshotIndex | undefined>>, latest: string): void {
  let kept = 0;
  for (const reading of known.values()) kept += sizes.get(reading) ?? 0;
  for (const [digest, reading] of known) {
    if (kept <= KEPT_PACKAGES || digest === latest) return;
    kept -= sizes.get(reading) ?? 0;
    known.delete(digest);
  }
}

async function load(digest: string, blobs: Blobs): Promise<SnapshotIndex | undefined> {
  const content = await blobs.get(digest);
  if (content === undefined) return undefined;
  const packages: RepositoryPackage[] = [];
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start);
    if (end < 0) return undefined;
    const parsed = RepositoryPackageSchema.safeParse(parse(bytes.toString('utf8', start, end)));
    if (!parsed.success) return undefined;
    packages.push(parsed.data);
    if (packages.length % CHUNK === 0) await turn();
    start = end + 1;
  }
  return indexOf(packages);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const CHUNK = 1000;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
