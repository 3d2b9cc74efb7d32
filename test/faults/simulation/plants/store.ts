/** Bugs of whoever uses the store, as a store that is used wrongly. */
import type { StoredEvent } from '@bivouac/events/language';
import { type EventStore, EventStoreError, type StreamPage } from '@bivouac/infra/event-store';

import type { Plant } from '../system.ts';

/** A lost race is no reason to decide again: the events go wherever the stream ends. */
export const appendAny: Plant = {
  store: (store) =>
    wrapped(store, {
      append: async (stream, expected, events) => {
        for (let at = expected; ;) {
          try {
            return await store.append(stream, at, events);
          } catch (error) {
            if (!(error instanceof EventStoreError) || error.actual === undefined) throw error;
            at = error.actual;
          }
        }
      },
    }),
};

/** Recorded time is what the clock of the machine says, whatever the stream's last time was. */
export const wallClock: Plant = {
  store: (store, { clock }) =>
    wrapped(store, {
      append: (stream, expected, events) => {
        const time = new Date(clock.now()).toISOString();
        return store.append(
          stream,
          expected,
          events.map((event) => ({ ...event, time })),
        );
      },
    }),
};

/** What was appended since is not read: a refusal is given on what was so once. */
export const staleRefusal: Plant = {
  store: (store) =>
    wrapped(store, {
      readStream: async (stream, options = {}) => {
        const page = await store.readStream(stream, options);
        const { from = 0n, direction } = options;
        return from > 0n && direction !== 'backwards' ? withEvents(page, () => []) : page;
      },
    }),
};

/** Milliseconds of the network in which a process takes its partitions. */
const START = 1500;

/** A process that starts finds no checkpoint of reactions: it reacts to everything again. */
export const replayFires: Plant = {
  store: (store, { network }) => {
    const begun = network.now();
    return wrapped(store, {
      readStream: (stream, options) =>
        stream.startsWith('checkpoint-') && network.now() < begun + START
          ? Promise.resolve({ exists: false })
          : store.readStream(stream, options),
    });
  },
};

function withEvents(
  page: StreamPage,
  change: (events: readonly StoredEvent[]) => readonly StoredEvent[],
): StreamPage {
  return page.exists ? { ...page, events: change(page.events) } : page;
}

function wrapped(
  store: EventStore,
  faulty: Partial<Pick<EventStore, 'append' | 'readStream'>>,
): EventStore {
  return {
    append: (...of) => (faulty.append ?? store.append.bind(store))(...of),
    readStream: (...of) => (faulty.readStream ?? store.readStream.bind(store))(...of),
    readAll: (...of) => store.readAll(...of),
    readHome: (...of) => store.readHome(...of),
    subscribe: (...of) => store.subscribe(...of),
    head: () => store.head(),
    close: () => store.close(),
  };
}
