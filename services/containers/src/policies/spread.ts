/**
 * Puts candidates into the order in which they are asked: at random by what is free, so that orders
 * which read the same view at the same moment do not all go to the same node. The chance comes from
 * the ids, so that it can be repeated.
 */
import { uuidOf } from '@bivouac/events/values';

/**
 * Weighted rendezvous hashing: each candidate's rank is u^(1/weight) with u in (0, 1) from the hash
 * of (key, id), highest first; so it is first as often as its weight is in proportion to all.
 */
export function spread<C>(
  key: string,
  candidates: readonly C[],
  of: (candidate: C) => { readonly id: string; readonly weight: number },
): C[] {
  return candidates
    .map((candidate) => {
      const { id, weight } = of(candidate);
      return { candidate, id, rank: chance(key, id) ** (1 / Math.max(weight, 1e-6)) };
    })
    .sort((a, b) => b.rank - a.rank || (a.id < b.id ? -1 : 1))
    .map(({ candidate }) => candidate);
}

/** A number between 0 and 1, neither included. */
function chance(key: string, id: string): number {
  const bits = Number.parseInt(uuidOf('spread', key, id).slice(0, 8), 16);
  return (bits + 0.5) / 2 ** 32;
}
