/** A log that is away for some, as one over a network is: what it refuses or keeps back is told to it. */
import type { NewEvent } from '@bivouac/events/language';
import {
  type AppendResult,
  type EventStore,
  EventStoreError,
  type EventStoreErrorCode,
  type ExpectedRevision,
  type SubscribeOptions,
  type SubscriptionMessage,
} from '@bivouac/infra/event-store';

export class FaultyStore implements EventStore {
  readonly #store: EventStore;
  #fault: { readonly category: string; readonly code: EventStoreErrorCode } | undefined;
  #held: Promise<void> | undefined;

  constructor(store: EventStore) {
    this.#store = store;
  }

  /** From now on every append to streams of a category ends so; answers how to mend it. */
  failAppends(category: string, code: EventStoreErrorCode): () => void {
    this.#fault = { category, code };
    return () => {
      this.#fault = undefined;
    };
  }

  /** From now on read models are sent nothing; answers how to go on. */
  holdReadModels(): () => void {
    let release: () => void = () => undefined;
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    return () => {
      this.#held = undefined;
      release();
    };
  }

  append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    const fault = this.#fault;
    if (fault === undefined || !stream.startsWith(`${fault.category}-`))
      return this.#store.append(stream, expected, events);
    return Promise.reject(new EventStoreError(fault.code, 'the log is made to fail'));
  }

  async *subscribe(options: SubscribeOptions = {}): AsyncIterable<SubscriptionMessage> {
    for await (const message of this.#store.subscribe(options)) {
      // Whoever says how much at once is the follower of read models; the bus takes what comes.
      if (options.batch !== undefined) await this.#held;
      yield message;
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

  head(): ReturnType<EventStore['head']> {
    return this.#store.head();
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
