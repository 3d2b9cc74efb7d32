/** Package lists in the blob store: canonical JSON, named by SHA-256, checked when read. */
import { canonicalBytes } from '@bivouac/events/language';
import { PackageSchema, type Package } from '@bivouac/events/packages';
import type { EdgePorts } from '@bivouac/infra/runtime';
import { createHash } from 'node:crypto';
import { z } from 'zod';

import type { Observation, StoredList, Twice } from './domain/inventory.ts';
import { differenceOf, nevra, ordered, twice } from './domain/package-list.ts';

type Blobs = EdgePorts['blobs'];

const ListSchema = z.array(PackageSchema);

/** Beyond this a difference is stored as a list of its own: an event has 64 KiB. */
const MAX_DIFFERENCE_BYTES = 48 * 1024;

/** The digest a list has once it is stored. */
export function digestOf(packages: readonly Package[]): string {
  return createHash('sha256')
    .update(canonicalBytes(ordered(packages)))
    .digest('hex');
}

/** Stores a list, unless a package stands in it twice. */
export async function store(packages: readonly Package[], blobs: Blobs): Promise<StoredList> {
  const index = twice(packages);
  if (index !== undefined) return repeated(packages, index);
  const inventory = await blobs.put(canonicalBytes(ordered(packages)));
  return { kind: 'stored', inventory, count: packages.length };
}

/** The list of a digest; undefined where there is none, or what is there is no package list. */
export async function listOf(digest: string, blobs: Blobs): Promise<Package[] | undefined> {
  const content = await blobs.get(digest);
  if (content === undefined) return undefined;
  try {
    return ListSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content)));
  } catch {
    return undefined;
  }
}

/**
 * What a container has installed as differences to a stored list: to `base`, or where they would
 * outgrow an event, none to a list of its own.
 */
export async function observed(
  packages: readonly Package[],
  base: string,
  blobs: Blobs,
): Promise<Observation> {
  const index = twice(packages);
  if (index !== undefined) return repeated(packages, index);
  const before = await listOf(base, blobs);
  if (before === undefined) return { kind: 'base-missing', base };
  const difference = differenceOf(before, packages);
  if (canonicalBytes(difference).length <= MAX_DIFFERENCE_BYTES) {
    return { kind: 'compared', base, difference };
  }
  const own = await blobs.put(canonicalBytes(ordered(packages)));
  return { kind: 'compared', base: own, difference: { added: [], removed: [] } };
}

function repeated(packages: readonly Package[], index: number): Twice {
  const one = packages[index];
  return { kind: 'twice', index, package: one === undefined ? '' : nevra(one) };
}
