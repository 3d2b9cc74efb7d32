/** How far something that follows the log is behind it: in events, and in the age of the oldest. */
import type { Position, StoredEvent } from '@bivouac/events/language';
import { millisecondsOf } from '@bivouac/events/values';

import type { EventStore } from '../../event-store/port.ts';

export interface Lag {
  /** Events that are not done; at most {@link MOST_BEHIND} are looked at. */
  readonly events: number;
  /** Age of the oldest of them, in seconds of the injected clock; 0 where there is none. */
  readonly seconds: number;
}

/** Events looked at: what is further behind is far behind, and counting it would keep others from work. */
export const MOST_BEHIND = 5000;
/** Events read at once. */
const PAGE = 1000;

export const NO_LAG: Lag = { events: 0, seconds: 0 };

/**
 * The first events after a position. Positions are not counted with: a store's may have gaps.
 *
 * @throws what the store throws.
 */
export async function* eventsBehind(
  store: EventStore,
  after: Position | null,
): AsyncGenerator<StoredEvent, void, undefined> {
  let cursor = after;
  for (let read = 0; read < MOST_BEHIND;) {
    const page = await store.readAll({ ...(cursor !== null && { after: cursor }), limit: PAGE });
    yield* page.events;
    cursor = page.events.at(-1)?.position ?? cursor;
    read += page.events.length;
    if (page.end) return;
  }
}

/** How far behind a follower at this position is. `now`: milliseconds since 1970. */
export async function lagAfter(
  store: EventStore,
  after: Position | null,
  now: number,
): Promise<Lag> {
  let lag = NO_LAG;
  for await (const event of eventsBehind(store, after)) lag = oneMore(lag, event, now);
  return lag;
}

/** The lag with one more event, which is not older than those counted. */
export function oneMore({ events, seconds }: Lag, { time }: StoredEvent, now: number): Lag {
  return {
    events: events + 1,
    seconds: events > 0 ? seconds : Math.max(0, (now - millisecondsOf(time)) / 1000),
  };
}
