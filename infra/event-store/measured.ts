/** An event store whose appends are counted and timed; everything else goes through as it is. */
import type { NewEvent } from '@bivouac/events/language';

import type { Counter, Histogram, Metrics } from '../runtime/metrics/port.ts';
import {
  type AppendResult,
  type EventStore,
  EventStoreError,
  type EventStoreErrorCode,
  type ExpectedRevision,
} from './port.ts';

/** What becomes of an append. */
type Outcome = 'done' | 'conflict' | 'unknown' | 'unavailable' | 'refused' | 'failed';

/** Measures the appends of a store. */
export function measuredStore(store: EventStore, metrics: Metrics): EventStore {
  return new MeasuredStore(store, metrics);
}

class MeasuredStore implements EventStore {
  readonly #store: EventStore;
  readonly #appends: Readonly<Record<Outcome, Counter>>;
  readonly #seconds: Histogram;
  readonly #events: Counter;

  constructor(store: EventStore, metrics: Metrics) {
    this.#store = store;
    const appends = (outcome: Outcome): Counter => metrics.counter('appends_total', { outcome });
    this.#appends = {
      done: appends('done'),
      conflict: appends('conflict'),
      unknown: appends('unknown'),
      unavailable: appends('unavailable'),
      refused: appends('refused'),
      failed: appends('failed'),
    };
    this.#seconds = metrics.histogram('append_seconds', {});
    this.#events = metrics.counter('events_appended_total', {});
  }

  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    const took = this.#seconds.start();
    try {
      const result = await this.#store.append(stream, expected, events);
      took();
      this.#appends.done.add();
      this.#events.add(events.length);
      return result;
    } catch (error) {
      this.#appends[error instanceof EventStoreError ? outcomeOf(error.code) : 'failed'].add();
      throw error;
    }
  }

  readStream(...read: Parameters<EventStore['readStream']>): ReturnType<EventStore['readStream']> {
    return this.#store.readStream(...read);
  }

  readAll(...read: Parameters<EventStore['readAll']>): ReturnType<EventStore['readAll']> {
    return this.#store.readAll(...read);
  }

  readHome(...read: Parameters<EventStore['readHome']>): ReturnType<EventStore['readHome']> {
    return this.#store.readHome(...read);
  }

  subscribe(...how: Parameters<EventStore['subscribe']>): ReturnType<EventStore['subscribe']> {
    return this.#store.subscribe(...how);
  }

  head(): ReturnType<EventStore['head']> {
    return this.#store.head();
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

function outcomeOf(code: EventStoreErrorCode): Outcome {
  switch (code) {
    case 'conflict':
      return 'conflict';
    case 'outcome-unknown':
      return 'unknown';
    case 'unavailable':
      return 'unavailable';
    case 'too-large':
    case 'invalid':
    case 'deleted':
      return 'refused';
    case 'corrupt':
    case 'checkpoint-mismatch':
    case 'store-in-use':
    case 'closed':
      return 'failed';
  }
}
