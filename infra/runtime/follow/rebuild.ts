/**
 * Rebuilding one read model beside the present one: its own pass over the log, and a swap at the
 * moment the new one is nowhere behind the old.
 */
import { setImmediate } from 'node:timers/promises';
import type { Position } from '@bivouac/events/language';

import type { EventStore } from '../../event-store/port.ts';
import { RuntimeError } from '../errors.ts';
import { type Decoding, workOf } from './batches.ts';
import { Followed } from './followed.ts';
import { boundReplayMemory } from './replay-memory.ts';

export interface Rebuild {
  readonly store: EventStore;
  readonly decoding: Decoding;
  readonly followed: Followed;
  /** The service's place in the slices. */
  readonly index: number;
  readonly batch: number;
  readonly commitEvery: number;
  readonly signal: AbortSignal;
  /** Where the new read model has to be before it may replace the present one; read at each batch. */
  readonly mustReach: () => Position | null;
}

/** Replays and swaps. Throws where a projection fails or the signal aborts; then nothing changed. */
export async function rebuildView(rebuild: Rebuild): Promise<void> {
  const { followed, index, store, batch, signal } = rebuild;
  const next = followed.store.successor();
  const endReplay = boundReplayMemory();
  try {
    const fresh = new Followed(followed.name, index, next, followed.stored);
    const decoding = { ...rebuild.decoding, slices: onlyOf(rebuild.decoding, index) };
    const { epoch } = await store.head();
    let uncommitted = 0;
    for await (const message of store.subscribe({ batch, signal })) {
      if (signal.aborted) break;
      if (message.kind === 'events') {
        fresh.apply(message.events, workOf(message.events, decoding), epoch);
        uncommitted += message.events.length;
        if (uncommitted >= rebuild.commitEvery) {
          next.commit();
          uncommitted = 0;
        }
        await setImmediate();
      } else if ((fresh.position ?? '') >= (rebuild.mustReach() ?? '')) {
        // No await between the comparison and the swap: no event can come in between.
        followed.store.succeed(next);
        followed.proveLater(undefined);
        return;
      }
    }
    throw new RuntimeError('shutting-down', `the rebuild of ${followed.name} was given up`);
  } catch (error) {
    next.close();
    throw error;
  } finally {
    endReplay();
  }
}

/** Slices with one service's handlers only, so that nothing else is decoded. */
function onlyOf({ slices }: Decoding, index: number): Decoding['slices'] {
  return new Map([...slices].filter(([, appliers]) => (appliers[index]?.length ?? 0) > 0));
}
