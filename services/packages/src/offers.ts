/** The snapshots in force of enabled repositories, read, as the solver takes them. */
import { refuse } from '@bivouac/events/language';
import type { EdgePorts } from '@bivouac/infra/runtime';

import type { Offer } from './domain/solver/universe.ts';
import { snapshotOf } from './snapshots.ts';

export interface InForce {
  readonly name: string;
  readonly arch: string;
  /** Digest of its snapshot. */
  readonly snapshot: string;
}

/** Refused where a snapshot is not in the blob store. */
export async function offersOf(
  repositories: readonly InForce[],
  blobs: EdgePorts['blobs'],
): Promise<readonly Offer[] | ReturnType<typeof refuse>> {
  const offers: Offer[] = [];
  for (const { name, arch, snapshot } of repositories) {
    const index = await snapshotOf(snapshot, blobs);
    if (index === undefined) return snapshotMissing(name, snapshot);
    offers.push({ name, arch, index });
  }
  return offers;
}

export function isOffers(
  answer: readonly Offer[] | ReturnType<typeof refuse>,
): answer is readonly Offer[] {
  return Array.isArray(answer);
}

export function snapshotMissing(name: string, digest: string): ReturnType<typeof refuse> {
  return refuse(
    'SNAPSHOT_MISSING',
    `The snapshot ${digest} of repository ${name} is not in the blob store; read the repository again, or restore the blob.`,
    { details: { repository: name, snapshot: digest } },
  );
}
