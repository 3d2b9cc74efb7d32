/** Reads from the store what a bus has lost of one partition. */
import type { Position, StoredEvent } from '@bivouac/events/language';

import { isPublished, partitionOf } from '../../bus/partition.ts';
import type { Mark } from '../../bus/port.ts';
import type { EventStore } from '../../event-store/port.ts';
import type { Clock } from '../clock.ts';
import { isTransient, RuntimeError } from '../errors.ts';
import { pause } from './attempts.ts';

/** Events read at once. */
const PAGE = 500;
/** Times the store is asked again for an event that the bus has and it has not. */
const PATIENCE = 10;

export interface MissingContext {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly random: () => number;
  readonly stopping: AbortSignal;
}

/**
 * The published events of a partition after one position, up to another, in log order. Waits for a
 * store that cannot be reached.
 *
 * @throws RuntimeError `defect` where the store does not have the last one: it is another log.
 */
export async function* readMissing(
  context: MissingContext,
  partition: number,
  after: Mark,
  upTo: Position,
): AsyncGenerator<StoredEvent, void, undefined> {
  const { clock, random, stopping } = context;
  let cursor = after;
  let last = after;
  for (let again = 0; !stopping.aborted;) {
    const events = await page(context, cursor);
    for (const event of events) {
      if (event.position > upTo) break;
      cursor = event.position;
      if (partitionOf(event.homeid) !== partition || !isPublished(event.stream)) continue;
      last = event.position;
      yield event;
    }
    if (last === upTo) return;
    const beyond = events.at(-1)?.position ?? '';
    if (beyond > upTo || again >= PATIENCE) {
      throw new RuntimeError(
        'defect',
        `the bus names the event at ${upTo} of partition ${partition}, but the store has none there: ` +
          'bus and store are not of the same log; check both addresses and the epoch',
      );
    }
    // A store read through a follower can be a moment behind its own bus.
    if (events.length === 0) await clock.sleep(pause(again++, random), stopping);
  }
}

async function page(
  { store, clock, random, stopping }: MissingContext,
  after: Mark,
): Promise<readonly StoredEvent[]> {
  for (let again = 0; !stopping.aborted; again++) {
    try {
      return (await store.readAll(after === null ? { limit: PAGE } : { after, limit: PAGE }))
        .events;
    } catch (error) {
      if (!isTransient(error)) throw error;
      await clock.sleep(pause(again, random), stopping);
    }
  }
  return [];
}
