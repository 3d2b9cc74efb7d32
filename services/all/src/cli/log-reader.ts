/**
 * An examined log as an event store that can only be followed, up to a position: what a replay needs
 * of it. Nothing can be appended through it.
 */
import type { Position, StoredEvent } from '@bivouac/events/language';
import { type EventStore, EventStoreError, type ExaminedLog } from '@bivouac/infra/event-store';

/** Follows the log up to and with a position, then stays caught up until the signal ends it. */
export function readerUpTo(log: ExaminedLog, upTo: Position): EventStore {
  const none = (): Promise<never> =>
    Promise.reject(
      new EventStoreError('unavailable', 'a log under examination can only be followed'),
    );
  return {
    append: none,
    readStream: none,
    readAll: none,
    readHome: none,
    head: () => Promise.resolve({ epoch: log.epoch, position: upTo }),
    close: () => Promise.resolve(),
    async *subscribe({ batch = 250, signal } = {}) {
      let events: StoredEvent[] = [];
      for (const { event, position, faults } of log.rows()) {
        if (position > upTo || signal?.aborted === true) break;
        const [fault] = faults;
        if (event === undefined || fault !== undefined) {
          const what = fault?.what ?? 'it cannot be read';
          throw new EventStoreError('corrupt', `the log is damaged at ${position}: ${what}`);
        }
        events.push(event);
        if (events.length < batch && position !== upTo) continue;
        yield { kind: 'events', events };
        events = [];
      }
      if (events.length > 0) yield { kind: 'events', events };
      yield { kind: 'caught-up', head: upTo };
      await new Promise<void>((resolve) => {
        if (signal === undefined || signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
    },
  };
}

/** Every event of the log, in order. Throws where one is damaged: `log verify` names them all. */
export function* eventsIn(log: ExaminedLog): Generator<StoredEvent, void, undefined> {
  for (const { event, position, faults } of log.rows()) {
    const [fault] = faults;
    if (event === undefined || fault !== undefined) {
      const what = fault?.what ?? 'it cannot be read';
      throw new EventStoreError('corrupt', `the log is damaged at ${position}: ${what}`);
    }
    yield event;
  }
}

/** The event at a position; undefined where there is none or it cannot be read. */
export function eventAt(log: ExaminedLog, at: Position): StoredEvent | undefined {
  for (const { event, position } of log.rows()) {
    if (position >= at) return position === at ? event : undefined;
  }
  return undefined;
}
