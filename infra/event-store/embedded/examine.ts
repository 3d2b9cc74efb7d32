/**
 * A stopped log as an auditor reads it: read-only, row by row, and on past every damage it finds. The
 * store itself stops at the first; here all of them are named, each with its position.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Position, StoredEvent } from '@bivouac/events/language';
import { EventStoreError } from '../port.ts';
import { decodeFrames, positionOf } from './decode.ts';
import { LogFailure, messageOf } from './failure.js';
import { chainSeed, isSound, OVERHEAD } from './frame.js';
import { readHeadRecord } from './head-record.js';
import { ProcessLock } from './process-lock.js';
import { APPLICATION_ID, FILES, hasTables } from './schema.js';
import { type Database, openDatabase } from './sqlite.js';

/** Something that is not as it was written. */
export interface LogFault {
  /** Where in the log; null: it concerns the log as a whole. */
  readonly position: Position | null;
  /** What is wrong, as a clause. */
  readonly what: string;
}

/** One row: the event in it, unless the row cannot be read, and what is wrong with it. */
export interface ExaminedRow {
  readonly position: Position;
  readonly event: StoredEvent | undefined;
  readonly faults: readonly LogFault[];
}

/** A log held for examination: no process can open it for writing meanwhile. */
export interface ExaminedLog {
  readonly epoch: string;
  /** Of the last row. Null: there is none. */
  readonly head: Position | null;
  /** What is wrong with the file, its indexes and its end. Reads all of the file. */
  wholeFaults(): readonly LogFault[];
  /** Every row in order. A row that is missing is a fault of the next one. */
  rows(): Generator<ExaminedRow, void, undefined>;
  /** Frees the log. Safe to call twice. */
  close(): void;
}

/** Rows read at once. */
const PAGE = 500;

/**
 * Takes the log in a folder for reading. Changes nothing of it.
 *
 * @throws EventStoreError `store-in-use` where a process has it open, `unavailable` where there is no
 * log or it cannot be read, `corrupt` where it is no log at all.
 */
export function examineLog(folder: string): ExaminedLog {
  const file = path.join(folder, FILES.log);
  if (!existsSync(file)) {
    throw new EventStoreError('unavailable', `there is no event log in ${folder}: name its folder`);
  }
  const lock = locked(folder);
  let db: Database | undefined;
  try {
    db = openDatabase(file, { readOnly: true });
    return new Examination(folder, db, lock);
  } catch (error) {
    db?.close();
    lock.release();
    if (error instanceof EventStoreError) throw error;
    throw new EventStoreError('corrupt', `${file} cannot be read as a log: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function locked(folder: string): ProcessLock {
  try {
    return new ProcessLock(folder);
  } catch (error) {
    if (error instanceof LogFailure && error.code === 'store-in-use') {
      throw new EventStoreError('store-in-use', error.message);
    }
    throw new EventStoreError(
      'unavailable',
      `${path.join(folder, FILES.lock)} cannot be locked (${messageOf(error)}): examine a copy of the folder that you may write`,
      { cause: error },
    );
  }
}

class Examination implements ExaminedLog {
  readonly epoch: string;
  readonly head: Position | null;
  readonly #folder: string;
  readonly #db: Database;
  readonly #lock: ProcessLock;
  readonly #seed: number;
  readonly #last: number;
  #closed = false;

  constructor(folder: string, db: Database, lock: ProcessLock) {
    this.#folder = folder;
    this.#db = db;
    this.#lock = lock;
    const id = field(db.prepare('PRAGMA application_id').get(), 'application_id');
    if (id !== APPLICATION_ID || !hasTables(db)) {
      throw new EventStoreError(
        'corrupt',
        `${FILES.log} in ${folder} is not a log of this version`,
      );
    }
    const log = db.prepare('SELECT epoch, origin FROM log').get();
    const epoch = field(log, 'epoch');
    if (typeof epoch !== 'string') throw new EventStoreError('corrupt', 'the log has no epoch');
    this.epoch = epoch;
    this.#seed = chainSeed(String(field(log, 'origin')));
    this.#last = Number(
      field(db.prepare('SELECT coalesce(max(position), 0) AS last FROM events').get(), 'last'),
    );
    this.head = this.#last === 0 ? null : positionOf(this.#last);
  }

  wholeFaults(): readonly LogFault[] {
    const faults: LogFault[] = [];
    const say = (what: string, at?: number): void => {
      faults.push({ position: at === undefined ? null : positionOf(at), what });
    };
    try {
      for (const row of this.#db.prepare('PRAGMA integrity_check(20)').all()) {
        const found = field(row, 'integrity_check');
        if (found !== 'ok') say(`SQLite finds the file damaged: ${String(found)}`);
      }
    } catch (error) {
      say(`SQLite cannot check the file: ${messageOf(error)}`);
    }
    const record = readHeadRecord(this.#folder);
    if (record === 'damaged') say(`the head record ${FILES.head} is damaged`);
    else if (record === 'absent') {
      if (this.#last > 0) say(`the head record ${FILES.head} is missing`);
    } else if (record.epoch !== this.epoch) {
      say(`the head record is of epoch ${record.epoch}, the log of ${this.epoch}`);
    } else if (record.position > this.#last) {
      say(
        `the tail is lost: the log ends at ${this.#last}, but ${record.position} was recorded`,
        this.#last + 1,
      );
    } else if (this.#sumAt(record.position) !== record.sum) {
      say('this is not the event that the head record was made of', record.position);
    }
    return faults;
  }

  *rows(): Generator<ExaminedRow, void, undefined> {
    const read = this.#db.prepare(
      'SELECT position, stream, revision, home, frame FROM events WHERE position > ? ORDER BY position LIMIT ?',
    );
    let before = 0;
    // Sum of the row before; undefined where that row cannot say it.
    let chain: number | undefined = this.#seed;
    for (;;) {
      let page: unknown[];
      try {
        page = read.all(before, PAGE);
      } catch (error) {
        const position = positionOf(before + 1);
        const what = `SQLite cannot read the log from here on: ${messageOf(error)}`;
        yield { position, event: undefined, faults: [{ position, what }] };
        return;
      }
      for (const row of page) {
        const found = examined(row, before, chain, this.epoch);
        before = found.number;
        chain = found.sum;
        yield found;
      }
      if (page.length < PAGE) return;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#db.close();
    this.#lock.release();
  }

  #sumAt(position: number): number | undefined {
    if (position === 0) return this.#seed;
    try {
      const row = this.#db.prepare('SELECT frame FROM events WHERE position = ?').get(position);
      const frame = field(row, 'frame');
      return frame instanceof Uint8Array && frame.length >= OVERHEAD
        ? Buffer.from(frame).readUInt32LE(frame.length - 4)
        : undefined;
    } catch {
      return undefined;
    }
  }
}

/** One row held against what it says of itself and against the row before it. */
function examined(
  row: unknown,
  before: number,
  chain: number | undefined,
  epoch: string,
): ExaminedRow & { readonly number: number; readonly sum: number | undefined } {
  const number = Number(field(row, 'position'));
  const position = positionOf(number);
  const faults: LogFault[] = [];
  const say = (what: string): void => {
    faults.push({ position, what });
  };
  if (number !== before + 1) {
    say(
      number === before + 2
        ? `position ${before + 1} is missing before it`
        : `positions ${before + 1} to ${number - 1} are missing before it`,
    );
  }
  const frame = bytesOf(field(row, 'frame'));
  if (
    frame === undefined ||
    frame.length < OVERHEAD ||
    frame.readUInt32LE(0) !== frame.length ||
    !isSound(frame)
  ) {
    say('the row fails its checksum: some of its bytes are not what was written');
    return { position, number, sum: undefined, event: undefined, faults };
  }
  if (frame.readUIntLE(8, 6) !== number) {
    say(`the row was written for position ${frame.readUIntLE(8, 6)}`);
  }
  if (number === before + 1 && chain !== undefined && frame.readUInt32LE(4) !== chain) {
    say('it does not follow the row before it: the chain is broken');
  }
  const [event] = decodeFrames(frame, epoch);
  for (const [name, inFrame] of [
    ['stream', event?.stream],
    ['revision', Number(event?.revision)],
    ['home', event?.homeid],
  ] as const) {
    if (field(row, name) !== inFrame) say(`its ${name} column is not what the event says`);
  }
  return { position, number, sum: frame.readUInt32LE(frame.length - 4), event, faults };
}

function bytesOf(value: unknown): Buffer | undefined {
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : undefined;
}

function field(row: unknown, name: string): unknown {
  return row !== null && typeof row === 'object' ? Reflect.get(row, name) : undefined;
}
