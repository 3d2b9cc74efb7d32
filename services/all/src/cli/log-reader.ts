/**
 * An examined log as an event store that can only be followed, up to a position: what a replay needs
 * of it. Nothing can be appended through it.
 */
import type { Position, StoredEvent } from '@bivouac/events/language';
import {
  type EventStore,
  EventStoreError,
  type ExaminedLog,
  type ExaminedRow,
  type LogFault,
} from '@bivouac/infra/event-store';

/** A log that is read from its beginning to where it ended: an examined one, or one on a server. */
export interface ReadLog {
  readonly epoch: string;
  /** Of the last row. Null: there is none. */
  readonly head: Position | null;
  /** What is wrong with it as a whole. */
  wholeFaults(): readonly LogFault[];
  /** Every row in order. */
  rows(): Iterable<ExaminedRow> | AsyncIterable<ExaminedRow>;
  /** The event at a position, where that is found without reading all before it. */
  at?(position: Position): Promise<StoredEvent | undefined>;
  close(): void | Promise<void>;
}

/** Follows the log up to and with a position, then stays caught up until the signal ends it. */
export function readerUpTo(log: ReadLog, upTo: Position): EventStore {
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
      for await (const { event, position, faults } of log.rows()) {
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
export async function eventAt(log: ReadLog, at: Position): Promise<StoredEvent | undefined> {
  if (log.at !== undefined) return log.at(at);
  for await (const { event, position } of log.rows()) {
    if (position >= at) return position === at ? event : undefined;
  }
  return undefined;
}
