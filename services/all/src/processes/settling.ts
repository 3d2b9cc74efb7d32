/**
 * When a set of processes has come to rest: each has reacted to and applied everything there was, every
 * partition is somebody's, and nothing has been written meanwhile.
 */
import type { Position } from '@bivouac/events/language';
import { PARTITIONS } from '@bivouac/infra/bus';

import type { Settled } from './messages.ts';

/** A replica of a service. */
export interface Settling {
  readonly service: string;
  /** Resolves when what is its own has come to rest; rejects where it ends before. */
  settle(): Promise<Settled>;
}

export interface Watched {
  head(): Promise<Position | null>;
  /** Those that run now; others may at the next look. */
  replicas(): readonly Settling[];
  /** Before it is looked again at what others have to finish. */
  pause(): Promise<void>;
}

/** Resolves when the set has come to rest: with the position that every replica has applied. */
export async function whenSettled(watched: Watched): Promise<Position | null> {
  for (;;) {
    const before = await watched.head();
    const replicas = watched.replicas();
    const answers = await Promise.allSettled(replicas.map((replica) => replica.settle()));
    const whole = allHeld(
      replicas.map(({ service }, i) => {
        const answer = answers[i];
        return { service, settled: answer?.status === 'fulfilled' ? answer.value : undefined };
      }),
    );
    // What a replica did while another was asked is in the log, or it was not at rest itself.
    if (whole && (await watched.head()) === before) return before;
    if (!whole) await watched.pause();
  }
}

/**
 * Whether every partition of every service that reacts was at rest somewhere: one on its way from a
 * replica to another is at rest nowhere. A replica that ended while it was asked has left work behind.
 */
function allHeld(
  answers: readonly { readonly service: string; readonly settled: Settled | undefined }[],
): boolean {
  const held = new Map<string, Set<number>>();
  for (const { service, settled } of answers) {
    if (settled === undefined) return false;
    if (settled.partitions === undefined) continue;
    const all = held.get(service) ?? new Set();
    held.set(service, all);
    for (const partition of settled.partitions) all.add(partition);
  }
  return [...held.values()].every((all) => all.size === PARTITIONS);
}
