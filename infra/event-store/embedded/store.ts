/**
 * The embedded event store: one process, one folder, no server. Appends go to the writer's worker,
 * reads to a connection on this thread; both see what is durable and nothing else.
 */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import type { NewEvent, Position } from '@bivouac/events/language';
import { CommitBell, follow } from '../follow.ts';
import {
  type AppendResult,
  type EventStore,
  EventStoreError,
  type ExpectedRevision,
  type LogHead,
  type LogPage,
  type StreamPage,
} from '../port.ts';
import { checkAppend, checkLimit, checkPosition } from '../refusals.ts';
import { damaged, positionOf } from './decode.ts';
import type { FaultsModule } from './messages.ts';
import { LogReader } from './reader.ts';
import { type Committed, RecentEvents } from './recent.ts';
import { WriterLink } from './writer-link.ts';

/** Options of {@link openEmbeddedStore}. */
export interface EmbeddedStoreOptions {
  /** The folder of the log's files. Created if it is missing. */
  readonly folder: string;
  /** The epoch of the log if it is created now. Absent: a random one. */
  readonly epoch?: string;
  /**
   * Called once when a write or a sync failed: nothing will be acknowledged any more, so the process
   * should end and be started again.
   */
  readonly onFailure?: (error: EventStoreError) => void;
  /** For tests: reaches into the writer. */
  readonly faults?: FaultsModule;
}

/** Events of a page where the caller gives no limit. */
const DEFAULT_LIMIT = 1000;
/** Streams whose end is remembered before it is asked for again. */
const REMEMBERED_HEADS = 20_000;

/**
 * Opens the log in a folder, creating it if there is none, and holds it alone until it is closed or
 * the process ends.
 *
 * @throws EventStoreError `store-in-use` if another process has it open, `corrupt` if it is not what
 * was written, `unavailable` if the folder cannot be read and written.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EventStore> {
  const folder = path.resolve(options.folder);
  makeFolder(folder);
  // The writer may answer before the store exists; nothing is appended before, so nothing is missed.
  let store: EmbeddedEventStore | undefined;
  const writer = new WriterLink(
    { folder, newEpoch: options.epoch ?? crypto.randomUUID(), faults: options.faults },
    {
      onHead: (position, committed) => store?.reached(position, committed),
      onFailure: (error) => store?.failed(error),
    },
  );
  const { epoch, position } = await writer.opened;
  try {
    const reader = new LogReader(folder, epoch);
    store = new EmbeddedEventStore(writer, reader, epoch, position, options.onFailure);
    return store;
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** Makes the folder, durably: a log in a folder that a power cut forgets would be lost with it. */
function makeFolder(folder: string): void {
  try {
    const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (made === undefined) return;
    const parent = openSync(path.dirname(made), 'r');
    try {
      fsyncSync(parent);
    } finally {
      closeSync(parent);
    }
  } catch (cause) {
    throw new EventStoreError(
      'unavailable',
      `the folder ${folder} of the event log cannot be made: choose one that is writable`,
      { cause },
    );
  }
}

class EmbeddedEventStore implements EventStore {
  readonly bell: CommitBell;
  readonly #writer: WriterLink;
  readonly #reader: LogReader;
  readonly #epoch: string;
  readonly #recent: RecentEvents;
  readonly #onFailure: ((error: EventStoreError) => void) | undefined;
  #head: number;
  /** Where streams end: nobody but our writer appends, and it says so before anyone else can know. */
  readonly #streamHeads = new Map<string, number>();
  #closing: Promise<void> | undefined;

  constructor(
    writer: WriterLink,
    reader: LogReader,
    epoch: string,
    head: number,
    onFailure: ((error: EventStoreError) => void) | undefined,
  ) {
    this.#writer = writer;
    this.#reader = reader;
    this.#epoch = epoch;
    this.#head = head;
    this.#recent = new RecentEvents(epoch, head);
    this.#onFailure = onFailure;
    this.bell = new CommitBell(head === 0 ? null : positionOf(head));
  }

  reached(position: number, committed: readonly Committed[]): void {
    if (position <= this.#head) return;
    for (const append of committed) {
      this.#recent.add(append);
      this.#rememberHead(append.stream, append.revision + append.events.length - 1);
    }
    this.#head = position;
    this.bell.ring(positionOf(position));
  }

  failed(error: EventStoreError): void {
    if (this.#closing === undefined) this.#onFailure?.(error);
  }

  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    this.#checkOpen();
    checkAppend(stream, expected, events);
    return this.#writer.append(stream, expected, events);
  }

  async readStream(
    stream: string,
    options: Parameters<EventStore['readStream']>[1] = {},
  ): Promise<StreamPage> {
    this.#checkOpen();
    const limit = checkLimit(options.limit, DEFAULT_LIMIT);
    const last = this.#streamHead(stream);
    if (last < 0) return { exists: false };
    const head = BigInt(last);
    if (options.direction === 'backwards') {
      const from = Math.min(last, Number(options.from ?? head));
      const first = Math.max(0, from - limit + 1);
      const events = from < 0 ? [] : await this.#reader.stream(stream, first, from - first + 1);
      return { exists: true, head, events: events.reverse(), end: first === 0 };
    }
    const from = Math.max(0, Number(options.from ?? 0n));
    const count = Math.max(0, Math.min(limit, last - from + 1));
    const events = count === 0 ? [] : await this.#reader.stream(stream, from, count);
    return { exists: true, head, events, end: from + count > last };
  }

  async readAll(options: Parameters<EventStore['readAll']>[0] = {}): Promise<LogPage> {
    this.#checkOpen();
    const limit = checkLimit(options.limit, DEFAULT_LIMIT);
    const head = this.#head;
    if (options.direction === 'backwards') {
      const last = Math.min(head, checkPosition(options.after, head + 1) - 1);
      const first = Math.max(1, last - limit + 1);
      const events = last < 1 ? [] : await this.#reader.log(first, last - first + 1);
      this.#checkReaches(events, last, first);
      return { events: events.reverse(), end: first === 1 };
    }
    const first = checkPosition(options.after, 0) + 1;
    if (first > head) return { events: [], end: true };
    const events = await this.#reader.log(first, Math.min(limit, head - first + 1));
    const last = Math.min(head, first + limit - 1);
    this.#checkReaches(events, last, first);
    return { events, end: last === head };
  }

  async readHome(
    home: string,
    options: Parameters<EventStore['readHome']>[1] = {},
  ): Promise<LogPage> {
    this.#checkOpen();
    const limit = checkLimit(options.limit, DEFAULT_LIMIT);
    const upTo = Math.min(this.#head, checkPosition(options.upTo, this.#head));
    // One more than asked for tells whether the page is the last.
    const events = await this.#reader.home(home, checkPosition(options.after, 0), upTo, limit + 1);
    return { events: events.slice(0, limit), end: events.length <= limit };
  }

  /** What followers that are level need not read: see {@link RecentEvents}. */
  recent(after: Position | null, limit: number): LogPage | undefined {
    const from = after === null ? 0 : Number(after);
    const events = this.#recent.after(from, this.#head, limit);
    return events.length === 0 ? undefined : { events, end: from + events.length === this.#head };
  }

  subscribe(options: Parameters<EventStore['subscribe']>[0] = {}) {
    return follow(this, options);
  }

  async head(): Promise<LogHead> {
    return { epoch: this.#epoch, position: this.#head === 0 ? null : positionOf(this.#head) };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.bell.end(new EventStoreError('closed', 'the event store is closed'));
    // The reader goes first: the last connection to close folds the write-ahead log in.
    this.#reader.close();
    await this.#writer.close();
  }

  /** Revision of a stream's last event, -1 if there is none: of what is acknowledged, or later. */
  #streamHead(stream: string): number {
    const known = this.#streamHeads.get(stream);
    if (known !== undefined) return known;
    const head = this.#reader.streamHead(stream);
    if (head >= 0) this.#rememberHead(stream, head);
    return head;
  }

  #rememberHead(stream: string, revision: number): void {
    // The reader may have seen an append before the writer's answer came.
    const known = this.#streamHeads.get(stream);
    if (known !== undefined && known >= revision) return;
    if (known === undefined && this.#streamHeads.size >= REMEMBERED_HEADS)
      this.#streamHeads.clear();
    this.#streamHeads.set(stream, revision);
  }

  #checkOpen(): void {
    if (this.bell.ended) throw this.bell.ended;
  }

  /** What was acknowledged must be there: a page that ends before it has lost events. */
  #checkReaches(events: readonly unknown[], last: number, first: number): void {
    const missing = first + events.length;
    if (missing <= last) throw damaged(`the event at position ${missing} is missing`);
  }
}
