/**
 * The bus of one process: follows the local log and delivers its 64 partitions to every group, with
 * the same shape and promises as Kafka has, so that what works here works there.
 */
import type { EventStore } from '../../event-store/port.ts';
import type { Clock } from '../../runtime/clock.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { Bus, Consumer, ConsumerOptions } from '../port.ts';
import { Feed } from './feed.ts';
import { Group } from './group.ts';
import { seededShuffle } from './shuffle.ts';

/** Milliseconds of the injected clock between two rounds of markers. */
const MARKER_INTERVAL = 1000;

export interface EmbeddedBusOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  /** For tests: lanes, batch sizes and pauses are drawn from it. Absent: everything at once. */
  readonly seed?: number;
}

/** A bus over a local log. Closing it does not close the store. */
export function embeddedBus(options: EmbeddedBusOptions): Bus {
  return new EmbeddedBus(options);
}

class EmbeddedBus implements Bus {
  readonly #options: EmbeddedBusOptions;
  readonly #groups = new Map<string, Group | undefined>();
  readonly #stop = new AbortController();
  #feed: Promise<Feed> | undefined;
  #opened = 0;

  constructor(options: EmbeddedBusOptions) {
    this.#options = options;
  }

  async consume(options: ConsumerOptions): Promise<Consumer> {
    const { group: name } = options;
    this.#checkOpen();
    if (this.#groups.has(name)) {
      throw new RuntimeError(
        'misconfigured',
        `group ${name} consumes already: the embedded bus has one consumer per group`,
      );
    }
    this.#groups.set(name, undefined);
    try {
      const { store, clock, seed } = this.#options;
      const feed = await this.#open();
      const shuffle = seed === undefined ? undefined : seededShuffle(seed + this.#opened++);
      const ended = (): void => void this.#groups.delete(name);
      const group = await Group.open({ store, clock, feed, shuffle, options, ended });
      this.#checkOpen();
      this.#groups.set(name, group);
      group.start();
      return group;
    } catch (error) {
      this.#groups.delete(name);
      throw error;
    }
  }

  /** Ends all groups without waiting for their deliveries: stop consumers first. */
  async close(): Promise<void> {
    this.#stop.abort();
    for (const group of [...this.#groups.values()]) group?.end();
    (await this.#feed?.catch(() => undefined))?.close();
  }

  #open(): Promise<Feed> {
    if (this.#feed === undefined) {
      const opening = Feed.open(this.#options.store);
      opening.then(
        () => void this.#sendMarkers(),
        // A store that could not be reached may be reached next time.
        () => (this.#feed = undefined),
      );
      this.#feed = opening;
    }
    return this.#feed;
  }

  async #sendMarkers(): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      await this.#options.clock.sleep(MARKER_INTERVAL, signal);
      if (signal.aborted) return;
      for (const group of [...this.#groups.values()]) group?.mark();
    }
  }

  #checkOpen(): void {
    if (this.#stop.signal.aborted) throw new RuntimeError('shutting-down', 'the bus is closed');
  }
}
