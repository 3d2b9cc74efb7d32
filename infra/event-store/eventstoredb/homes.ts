/** Reading a home: the index says where its events stand, the streams they are in have them. */
import type { Position, StoredEvent } from '@bivouac/events/language';
import { type Direction, EventStoreError, type LogPage } from '../port.ts';
import { HomeIndex, type HomeEntry } from './home-index.ts';
import type { Reads } from './reads.ts';

/** Events taken into the index at a time. */
const PAGE = 1_000;
/** Streams read at once for one page of a home. */
const AT_ONCE = 8;

export class Homes {
  readonly #reads: Reads;
  readonly #folder: string | undefined;
  readonly #epoch: string;
  #index: HomeIndex | undefined;
  /** The catching up under way, and the one that begins when it has ended. */
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(reads: Reads, folder: string | undefined, epoch: string) {
    this.#reads = reads;
    this.#folder = folder;
    this.#epoch = epoch;
  }

  /** A page of a home, of everything that was in the log when it was asked for. */
  async page(home: string, after: number, upTo: number, limit: number): Promise<LogPage> {
    const index = await this.#level();
    const entries = index.entries(home, after, upTo, limit + 1);
    const events = await this.#fetch(entries.slice(0, limit));
    return { events, end: entries.length <= limit };
  }

  /** The event next to a place in the log; see `Neighbour` in `reads.ts`. */
  async neighbour(n: bigint, direction: Direction): Promise<Position | undefined> {
    const index = await this.#level();
    return index.neighbour(n, direction === 'forwards' ? 'before' : 'behind');
  }

  async close(): Promise<void> {
    await (this.#next ?? this.#running)?.catch(() => undefined);
    this.#index?.close();
    this.#index = undefined;
  }

  async #level(): Promise<HomeIndex> {
    // One that began before this call may have read the head before what the caller knows of.
    if (this.#running === undefined) this.#running = this.#catchUp();
    else {
      const before = this.#running;
      this.#next ??= before
        .catch(() => undefined)
        .then(() => {
          this.#next = undefined;
          this.#running = this.#catchUp();
          return this.#running;
        });
    }
    await (this.#next ?? this.#running);
    if (this.#index === undefined) throw new EventStoreError('closed', 'the event store is closed');
    return this.#index;
  }

  async #catchUp(): Promise<void> {
    try {
      this.#index ??= await this.#open();
      const index = this.#index;
      for (;;) {
        const page = await this.#reads.log(index.upTo?.position, 'forwards', PAGE);
        index.add(page.events);
        if (page.end) return;
      }
    } finally {
      this.#running = undefined;
    }
  }

  /** The index on disk, if the log still has the last event it knows of where it knows it. */
  async #open(): Promise<HomeIndex> {
    const folder = this.#folder;
    if (folder === undefined) {
      throw new EventStoreError(
        'invalid',
        'folder: homes, and the log from where no event stands, are read by an index, which needs a folder',
      );
    }
    const index = HomeIndex.open(folder, this.#epoch);
    const { upTo } = index;
    if (upTo === undefined) return index;
    try {
      const there = await this.#reads.at(upTo.position);
      if (there?.id === upTo.eventId) return index;
    } catch (error) {
      index.close();
      throw error;
    }
    index.close();
    return HomeIndex.anew(folder, this.#epoch);
  }

  async #fetch(entries: readonly HomeEntry[]): Promise<StoredEvent[]> {
    // A stream is of one home, so its part of a page has no gaps.
    const parts = new Map<string, { from: bigint; count: number }>();
    for (const { stream, revision } of entries) {
      const part = parts.get(stream);
      if (part === undefined) parts.set(stream, { from: revision, count: 1 });
      else part.count += 1;
    }
    const found = new Map<string, StoredEvent>();
    const waiting = [...parts];
    const worker = async (): Promise<void> => {
      for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
        const [stream, { from, count }] = part;
        const page = await this.#reads.stream(stream, {
          from,
          direction: 'forwards',
          limit: count,
        });
        if (page.exists) for (const event of page.events) found.set(event.position, event);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, worker));
    return entries.map(({ position, stream, revision }) => {
      const event = found.get(position);
      if (event !== undefined) return event;
      throw new EventStoreError(
        'corrupt',
        `revision ${revision} of ${stream} stood at ${position} when the log was followed and does not now: ` +
          'the event store was replaced. Restart; what was built from it must be rebuilt',
      );
    });
  }
}
