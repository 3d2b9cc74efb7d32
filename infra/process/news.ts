/**
 * What happens, told as the bus brings it: for processes that keep nothing themselves (the gateway, the
 * endpoint of agents) and only have to know when to look. A hint: where the bus has lost something, or
 * is silent for too long, it says so, and whoever listens looks at everything.
 */
import { randomUUID } from 'node:crypto';

import type { Position, StoredEvent } from '@bivouac/events/language';

import type { Bus, BusMessage, Mark } from '../bus/port.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';

/** Milliseconds without a sign of the bus, which marks each partition every second, until it counts as away. */
const SILENCE = 4000;

export interface NewsOptions {
  readonly bus: Bus;
  /** Who listens, e.g. `gateway`; each process is a group of its own, since each is to hear all. */
  readonly name: string;
  /** Only what follows this position, e.g. the log's present head. */
  readonly after: Mark;
  readonly onEvents: (events: readonly StoredEvent[]) => void;
  /**
   * Something may have happened that was not told: something was lost before the position, or the bus
   * is silent (undefined; again and again while it is).
   */
  readonly onMissed: (upTo: Position | undefined) => void;
  /** The bus cannot be listened to any more: the process should end. */
  readonly onFailure: (error: unknown) => void;
  /** The network's time; the machine's by default. */
  readonly network?: Clock;
}

/** Listens until it is told to stop. Resolves when everything that comes from now on is told. */
export async function listenForNews(options: NewsOptions): Promise<() => Promise<void>> {
  const { bus, name, after, onEvents, onMissed, onFailure, network = systemClock } = options;
  const marks = new Map<number, Mark>();
  let heard = network.now();

  const take = (partition: number, messages: readonly BusMessage[]): void => {
    heard = network.now();
    let mark = marks.get(partition) ?? after;
    let missed: Position | undefined;
    const events: StoredEvent[] = [];
    for (const message of messages) {
      // What lies before the beginning of the listening was not to be told.
      if (message.prev !== null && message.prev > (mark ?? '')) {
        missed = message.prev;
        mark = message.prev;
      }
      if (message.kind === 'marker' || message.event.position <= (mark ?? '')) continue;
      mark = message.event.position;
      events.push(message.event);
    }
    marks.set(partition, mark);
    if (events.length > 0) onEvents(events);
    if (missed !== undefined) onMissed(missed);
  };
  const consumer = await bus.consume({
    group: `${name}-${randomUUID()}`,
    from: (partition) => Promise.resolve(marks.get(partition) ?? after),
    deliver: (partition, messages) => {
      take(partition, messages);
      return Promise.resolve();
    },
    // Nobody goes on in this group after this process.
    kept: () => null,
    failed: onFailure,
  });
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    for (;;) {
      await network.sleep(SILENCE / 4, over.signal);
      if (over.signal.aborted) return;
      if (network.now() - heard >= SILENCE) onMissed(undefined);
    }
  };
  void watch();
  return async () => {
    over.abort();
    await consumer.stop(0);
  };
}
