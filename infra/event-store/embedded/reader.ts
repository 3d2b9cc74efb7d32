/**
 * Reads the embedded log on the main thread, from a read-only connection of its own: a commit in the
 * writer's worker never holds it up. Reads are short; a long page is read in several, and the event
 * loop turns between them.
 */
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StoredEvent } from '@bivouac/events/language';
import { EventStoreError } from '../port.ts';
import { checkChain, damaged, decodeFrames, soundBytes } from './decode.ts';
import { messageOf } from './failure.js';
import { chainSeed } from './frame.js';
import { FILES } from './schema.js';
import { type Database, openDatabase, type Statement } from './sqlite.js';

/** Rows of one read, and the bytes it should not exceed: some tenths of a millisecond. */
const READ_ROWS = 512;
const READ_BYTES = 512 * 1024;

/**
 * SQLite lays the frames of a page end to end, so that a page costs one value and not a row object
 * for each event. The inner LIMIT keeps the order of the inner query.
 */
function page(select: string): string {
  return `SELECT CAST(group_concat(frame, '') AS BLOB) AS page FROM (SELECT frame FROM events ${select} LIMIT ?)`;
}

/** The reading connection and its statements. */
export class LogReader {
  readonly #db: Database;
  readonly #log: Statement;
  readonly #stream: Statement;
  readonly #home: Statement;
  readonly #streamHead: Statement;
  readonly #seed: number;
  readonly #epoch: string;
  #averageFrame = 1024;
  #closed = false;

  constructor(folder: string, epoch: string) {
    this.#epoch = epoch;
    this.#db = openDatabase(path.join(folder, FILES.log), { readOnly: true });
    this.#log = this.#db.prepare(page('WHERE position >= ? ORDER BY position'));
    this.#stream = this.#db.prepare(page('WHERE stream = ? AND revision >= ? ORDER BY revision'));
    this.#home = this.#db.prepare(
      page('WHERE home = ? AND position > ? AND position <= ? ORDER BY position'),
    );
    this.#streamHead = this.#db.prepare(
      'SELECT max(revision) AS head FROM events WHERE stream = ?',
    );
    const origin = named(() => this.#db.prepare('SELECT origin FROM log').get());
    this.#seed = chainSeed(column(origin, 'origin', 'string'));
  }

  /**
   * Events from a position on, at most `limit`. The frame before the first is read with it, so that
   * the chain is checked across pages.
   */
  async log(first: number, limit: number): Promise<StoredEvent[]> {
    return this.#inReads(limit, (done, rows) => {
      const start = first + done;
      const bytes = this.#page(this.#log, Math.max(1, start - 1), start > 1 ? rows + 1 : rows);
      if (start === 1) {
        checkChain(bytes, 1, this.#seed);
        return bytes;
      }
      if (bytes.length === 0) throw damaged(`the event at position ${start - 1} is missing`);
      checkChain(bytes, start - 1, undefined);
      return bytes.subarray(bytes.readUInt32LE(0));
    });
  }

  /** Revision of a stream's last event, -1 if there is no such stream. */
  streamHead(stream: string): number {
    const row = named(() => this.#streamHead.get(stream));
    return row !== null && typeof row === 'object' && 'head' in row && row.head === null
      ? -1
      : column(row, 'head', 'number');
  }

  /** Exactly `count` events of a stream from a revision on, which are known to be there. */
  async stream(stream: string, first: number, count: number): Promise<StoredEvent[]> {
    const events = await this.#inReads(count, (done, rows) =>
      this.#page(this.#stream, stream, first + done, rows),
    );
    for (let i = 0; i < count; i++) {
      const event = events[i];
      if (event?.stream !== stream || Number(event.revision) !== first + i) {
        throw damaged(`revision ${first + i} of stream ${stream} is missing`);
      }
    }
    return events;
  }

  /** Events of a home after a position up to another, at most `limit`. */
  async home(home: string, after: number, upTo: number, limit: number): Promise<StoredEvent[]> {
    let last = after;
    return this.#inReads(limit, (_, rows) => {
      const bytes = this.#page(this.#home, home, last, upTo, rows);
      for (const event of decodeFrames(bytes, this.#epoch)) {
        const position = Number(event.position);
        if (event.homeid !== home || position <= last) {
          throw damaged(`the event at position ${position} is not of home ${home}`);
        }
        last = position;
      }
      return bytes;
    });
  }

  close(): void {
    this.#closed = true;
    this.#db.close();
  }

  /** Reads up to `limit` rows in reads of bounded size. `read` gets the number of rows done. */
  async #inReads(
    limit: number,
    read: (done: number, rows: number) => Buffer,
  ): Promise<StoredEvent[]> {
    let events: StoredEvent[] = [];
    for (;;) {
      // The store may have been closed while the event loop turned.
      if (this.#closed) throw new EventStoreError('closed', 'the event store was closed');
      const rows = Math.min(limit - events.length, this.#rowsPerRead());
      const bytes = read(events.length, rows);
      const more = decodeFrames(bytes, this.#epoch);
      events = events.length === 0 ? more : events.concat(more);
      if (more.length > 0) this.#averageFrame = bytes.length / more.length;
      // Many reads without a turn in between would starve timers and sockets.
      if (more.length >= 64) await nextTurn();
      if (more.length < rows || events.length >= limit) return events;
    }
  }

  #rowsPerRead(): number {
    return Math.max(8, Math.min(READ_ROWS, Math.floor(READ_BYTES / this.#averageFrame)));
  }

  #page(statement: Statement, ...parameters: (string | number)[]): Buffer {
    const row = named(() => statement.get(...parameters));
    if (row === null || typeof row !== 'object' || !('page' in row)) throw damaged('no page');
    if (row.page === null) return Buffer.alloc(0);
    if (!(row.page instanceof Uint8Array)) throw damaged('a page is not bytes');
    return soundBytes(row.page);
  }
}

/** What SQLite itself cannot read is damage, unless the disk or a lock is at fault. */
function named(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    const message = messageOf(error);
    if (!/I\/O|unable to open|locked|busy/i.test(message)) throw damaged(message);
    throw new EventStoreError('unavailable', `the event log cannot be read now: ${message}`, {
      cause: error,
    });
  }
}

function column(row: unknown, name: 'origin', type: 'string'): string;
function column(row: unknown, name: 'head', type: 'number'): number;
function column(row: unknown, name: string, type: 'string' | 'number'): unknown {
  const value: unknown =
    row !== null && typeof row === 'object' ? Reflect.get(row, name) : undefined;
  if (typeof value !== type) throw damaged(`${name} is not a ${type}`);
  return value;
}
