/**
 * The one subscription of a process: follows the log and keeps its recent end in memory for all
 * groups. It waits for nobody; a group that falls behind the kept end reads the store itself.
 */
import type { Position, StoredEvent } from '@bivouac/events/language';

import type { Checkpoint, EventStore } from '../../event-store/port.ts';
import { isPublished, partitionOf } from '../partition.ts';
import { type BusMessage, PARTITIONS } from '../port.ts';

export type EventMessage = Extract<BusMessage, { kind: 'event' }>;

/** One published event, with the message all groups share. */
export interface FeedEntry {
  readonly partition: number;
  readonly message: EventMessage;
  /**
   * Whether `message.prev` is known. The feed begins at the log's head, so it does not know what came
   * before the first message of each partition; a group does.
   */
  readonly chained: boolean;
}

/** Events kept at least, once that many have come. */
const KEPT = 4096;

export interface FeedListener {
  /** The feed has grown. */
  grown(): void;
  /** It will never grow again. */
  broke(error: unknown): void;
}

export class Feed {
  readonly listeners = new Set<FeedListener>();
  readonly #stop = new AbortController();
  readonly #last: (Position | undefined)[] = new Array<undefined>(PARTITIONS).fill(undefined);
  #entries: FeedEntry[] = [];
  /** Everything after this position, up to the head, is in the entries (or not published). */
  #start: Position | null;
  #head: Position | null;
  #broken: { readonly error: unknown } | undefined;

  private constructor(head: Position | null) {
    this.#start = head;
    this.#head = head;
  }

  /** Begins at the log's present end. */
  static async open(store: EventStore): Promise<Feed> {
    const page = await store.readAll({ direction: 'backwards', limit: 1 });
    const last = page.events[0];
    const feed = new Feed(last?.position ?? null);
    void feed.#follow(store, last);
    return feed;
  }

  /** Position of the last event read, published or not. */
  get head(): Position | null {
    return this.#head;
  }

  /** Why it stopped following, if it did. */
  get broken(): { readonly error: unknown } | undefined {
    return this.#broken;
  }

  /** Entries after a position, at most `limit`; undefined where they are no longer all kept. */
  after(position: Position | null, limit: number): readonly FeedEntry[] | undefined {
    if (this.#start !== null && (position === null || position < this.#start)) return undefined;
    const from = position === null ? 0 : this.#indexAfter(position);
    return from >= this.#entries.length ? [] : this.#entries.slice(from, from + limit);
  }

  close(): void {
    this.#stop.abort();
  }

  async #follow(store: EventStore, last: StoredEvent | undefined): Promise<void> {
    const { signal } = this.#stop;
    try {
      const after = last === undefined ? {} : { after: checkpointAt(last) };
      for await (const message of store.subscribe({ ...after, signal })) {
        if (message.kind !== 'events') continue;
        this.#take(message.events);
        for (const listener of this.listeners) listener.grown();
      }
      if (!signal.aborted) throw new Error('the subscription to the log ended by itself');
    } catch (error) {
      if (signal.aborted) return;
      this.#broken = { error };
      for (const listener of [...this.listeners]) listener.broke(error);
    }
  }

  #take(events: readonly StoredEvent[]): void {
    for (const event of events) {
      this.#head = event.position;
      if (!isPublished(event.stream)) continue;
      const partition = partitionOf(event.homeid);
      const prev = this.#last[partition];
      this.#last[partition] = event.position;
      this.#entries.push({
        partition,
        message: { kind: 'event', event, prev: prev ?? null },
        chained: prev !== undefined,
      });
    }
    if (this.#entries.length > 2 * KEPT) {
      const dropped = this.#entries.splice(0, this.#entries.length - KEPT);
      this.#start = dropped.at(-1)?.message.event.position ?? this.#start;
    }
  }

  #indexAfter(position: Position): number {
    // Most groups stand near the end: steps that double from there find the range to halve.
    let high = this.#entries.length;
    let step = 1;
    while (step <= high && this.#isAfter(high - step, position)) step *= 2;
    let low = Math.max(0, high - step);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isAfter(middle, position)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #isAfter(index: number, position: Position): boolean {
    const entry = this.#entries[index];
    return entry !== undefined && entry.message.event.position > position;
  }
}

function checkpointAt(event: StoredEvent): Checkpoint {
  return { epoch: event.epoch, position: event.position, eventId: event.id };
}
