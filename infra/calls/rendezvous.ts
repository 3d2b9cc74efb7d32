/** Rendezvous hashing: which replica a key belongs to, so that a replica that goes moves only its own keys. */
import { hash } from 'node:crypto';

/** The replicas, the one that the key belongs to first, then those that take its place. */
export function ranked<R extends { readonly id: string }>(
  replicas: readonly R[],
  key: string,
): R[] {
  return replicas
    .map((replica) => ({ replica, score: scoreOf(replica.id, key) }))
    .sort((a, b) => (a.score < b.score ? 1 : a.score > b.score ? -1 : 0))
    .map(({ replica }) => replica);
}

/** As text of fixed width, which sorts like the number. */
function scoreOf(id: string, key: string): string {
  return hash('sha256', `${id.length}:${id}${key}`, 'hex');
}
