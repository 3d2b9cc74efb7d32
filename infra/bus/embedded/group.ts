/**
 * One consumer group on the embedded bus: 64 lanes, each delivering its partition in order and
 * independently of the others, fed from the shared feed or, where that is too far ahead, the store.
 *
 * Memory is bounded by QUEUED messages. Where a lane is held by its consumer, its queue is cut short
 * and read again later, so that one slow partition costs reading, never the others' time.
 */
import type { Position, StoredEvent } from '@bivouac/events/language';

import type { EventStore } from '../../event-store/port.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isPublished, partitionOf } from '../partition.ts';
import { type BusMessage, type Consumer, type ConsumerOptions, PARTITIONS } from '../port.ts';
import { Deliveries } from './deliveries.ts';
import type { Feed, FeedEntry, FeedListener } from './feed.ts';
import { lane, type Lane } from './lane.ts';
import type { Shuffle } from './shuffle.ts';

/** Messages waiting in all lanes together before reading ahead stops. */
const QUEUED = 4096;
/** Reading goes on when no more than this wait. */
const RELIEVED = 3072;
/** What a lane keeps when its queue is cut: all lanes cut still leave reading held, as it should be. */
const KEPT_BY_LANE = 48;
/** Events read at once. */
const PAGE = 500;

export interface GroupContext {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly feed: Feed;
  readonly shuffle: Shuffle | undefined;
  readonly options: ConsumerOptions;
  readonly ended: () => void;
}

export class Group implements Consumer, FeedListener {
  readonly #context: GroupContext;
  readonly #lanes: readonly Lane[];
  readonly #deliveries: Deliveries;
  /** Everything at or below was put into its lane, was there before, or is to be read again by it. */
  #cursor: Position | null;
  /** Those that are asked for a marker. */
  readonly #asked = new Set<Lane>();
  #reading = false;
  #held = false;
  /** It has been level with the feed once: every lane got its first marker. */
  #levelled = false;
  #ended = false;

  /** Asks where each partition begins. */
  static async open(context: GroupContext): Promise<Group> {
    const marks = await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) => context.options.from(partition)),
    );
    return new Group(
      context,
      marks.map((mark, partition) => lane(partition, mark)),
    );
  }

  private constructor(context: GroupContext, lanes: readonly Lane[]) {
    this.#context = context;
    this.#lanes = lanes;
    this.#cursor = lowest(lanes);
    this.#deliveries = new Deliveries(context.options.deliver, context.shuffle, {
      delivered: (lane) => this.#delivered(lane),
      failed: (error) => this.#fail(error),
    });
  }

  start(): void {
    this.#context.feed.listeners.add(this);
    const { broken } = this.#context.feed;
    if (broken !== undefined) this.#fail(broken.error);
    else this.#advance();
  }

  grown(): void {
    this.#advance();
  }

  broke(error: unknown): void {
    this.#fail(error);
  }

  /** Sends a marker to every lane that has nothing else to do: elsewhere a message says as much. */
  mark(): void {
    if (this.#ended) return;
    for (const lane of this.#lanes) {
      if (isFree(lane)) this.#tell(lane);
    }
  }

  ask(partition: number, position: Position): void {
    const lane = this.#lanes[partition];
    if (lane === undefined || this.#ended) return;
    if (lane.asked === undefined || lane.asked < position) lane.asked = position;
    this.#asked.add(lane);
    this.#answer(lane);
  }

  /** Tells a lane what it was asked for, unless there is more to read or to deliver before. */
  #answer(lane: Lane): void {
    const { asked } = lane;
    if (asked === undefined || !isFree(lane)) return;
    const head = later(this.#cursor, lane.last);
    if (head !== null && head >= asked) this.#tell(lane);
  }

  #tell(lane: Lane): void {
    const head = later(this.#cursor, lane.last);
    lane.queue.push({ kind: 'marker', prev: lane.last, head });
    if (lane.asked !== undefined && head !== null && head >= lane.asked) {
      lane.asked = undefined;
      this.#asked.delete(lane);
    }
    this.#deliveries.queued++;
    this.#deliveries.run(lane);
  }

  async stop(deadlineMilliseconds: number): Promise<void> {
    this.end();
    const over = new AbortController();
    const deadline = this.#context.clock.sleep(deadlineMilliseconds, over.signal);
    await Promise.race([this.#deliveries.quiet(), deadline]);
    over.abort();
  }

  /** Delivers nothing more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#deliveries.end();
    this.#context.feed.listeners.delete(this);
    this.#context.ended();
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.end();
    this.#context.options.failed(error);
  }

  /** Takes what the feed has, until it has no more or the lanes are full. */
  #advance(): void {
    while (!this.#ended && !this.#reading && !this.#held) {
      const entries = this.#context.feed.after(this.#cursor, PAGE);
      if (entries === undefined) {
        this.#reading = true;
        void this.#read();
        return;
      }
      const last = entries.at(-1);
      if (last === undefined) {
        this.#cursor = this.#context.feed.head;
        this.#level();
        for (const lane of [...this.#asked]) this.#answer(lane);
        return;
      }
      this.#cursor = last.message.event.position;
      this.#route(entries);
    }
  }

  /** Reads the store up to where the feed takes over. */
  async #read(): Promise<void> {
    const { store } = this.#context;
    try {
      const page = await store.readAll(pageAfter(this.#cursor));
      if (this.#ended) return;
      this.#reading = false;
      const last = page.events.at(-1);
      if (last !== undefined) {
        this.#cursor = last.position;
        this.#route(page.events.filter((e) => isPublished(e.stream)).map(unchained));
      }
      this.#advance();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The first time all there was has been read, lanes are told at once: a second is long at a start. */
  #level(): void {
    if (this.#levelled) return;
    this.#levelled = true;
    this.mark();
  }

  #route(entries: readonly FeedEntry[]): void {
    // A lane that had messages is being delivered, or in turn: it comes to these by itself.
    const begun: Lane[] = [];
    for (const { partition, message, chained } of entries) {
      const lane = this.#lanes[partition];
      const { position } = message.event;
      if (lane === undefined || lane.cut !== undefined) continue;
      if (lane.last !== null && position <= lane.last) continue;
      if (lane.queue.length === 0) begun.push(lane);
      lane.queue.push(chained ? message : { ...message, prev: lane.last });
      lane.last = position;
      this.#deliveries.queued++;
    }
    for (const lane of begun) this.#deliveries.run(lane);
    if (this.#deliveries.queued > QUEUED) this.#relieve();
  }

  /** Too much waits: long lanes give back what they can read again; if it was not they, reading waits. */
  #relieve(): void {
    for (const lane of this.#lanes) {
      if (lane.queue.length <= KEPT_BY_LANE) continue;
      const given = lane.queue.splice(KEPT_BY_LANE);
      this.#deliveries.queued -= given.length;
      lane.last = lastPosition(lane.queue) ?? lane.last;
      lane.cut = lane.last;
    }
    this.#held = this.#deliveries.queued > RELIEVED;
  }

  #delivered(lane: Lane): void {
    if (this.#ended) return;
    if (lane.cut !== undefined && !lane.refilling && lane.queue.length <= KEPT_BY_LANE / 2) {
      lane.refilling = true;
      void this.#refill(lane);
    }
    if (this.#held && this.#deliveries.queued <= RELIEVED) {
      this.#held = false;
      this.#advance();
    }
    this.#answer(lane);
  }

  /** A lane that was cut short reads on by itself, until it is level with the others. */
  async #refill(lane: Lane): Promise<void> {
    try {
      while (lane.cut !== undefined && lane.queue.length <= KEPT_BY_LANE) {
        const page = await this.#context.store.readAll(pageAfter(lane.cut));
        if (this.#ended) return;
        for (const event of page.events) {
          // What lies beyond the cursor comes to this lane with the others'.
          if (this.#cursor === null || event.position > this.#cursor) break;
          if (lane.queue.length >= 4 * KEPT_BY_LANE) break;
          lane.cut = event.position;
          if (partitionOf(event.homeid) === lane.partition && isPublished(event.stream)) {
            lane.queue.push({ kind: 'event', event, prev: lane.last });
            lane.last = event.position;
            this.#deliveries.queued++;
          }
        }
        if (lane.cut === null || this.#cursor === null || lane.cut >= this.#cursor) {
          lane.cut = undefined;
        }
        this.#deliveries.run(lane);
      }
      lane.refilling = false;
      this.#answer(lane);
    } catch (error) {
      this.#fail(error);
    }
  }
}

/** Nothing of it waits or is under way: a marker is the next it hears. */
function isFree({ busy, cut, queue }: Lane): boolean {
  return !busy && cut === undefined && queue.length === 0;
}

/** The lowest mark of all; null where one has none. */
function lowest(lanes: readonly Lane[]): Position | null {
  let low: Position | null | undefined;
  for (const { last } of lanes) {
    if (last === null) return null;
    if (low === undefined || low === null || last < low) low = last;
  }
  return low ?? null;
}

function later(a: Position | null, b: Position | null): Position | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}

function lastPosition(queue: readonly BusMessage[]): Position | undefined {
  const last = queue.at(-1);
  return last?.kind === 'event' ? last.event.position : undefined;
}

function pageAfter(position: Position | null): { after?: Position; limit: number } {
  return position === null ? { limit: PAGE } : { after: position, limit: PAGE };
}

function unchained(event: StoredEvent): FeedEntry {
  const message = { kind: 'event', event, prev: null } as const;
  return { partition: partitionOf(event.homeid), message, chained: false };
}
