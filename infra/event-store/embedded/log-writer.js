/**
 * The one writer of the embedded log: takes groups of appends, writes each group in one
 * transaction, and says for each append how it ended. Synchronous; it lives in a worker.
 */
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { envelopeField, sealFrame } from './frame.js';
import { inspectLog, corrupt } from './inspect.js';
import { readHeadRecord, writeHeadRecord } from './head-record.js';
import { createTables, FILES } from './schema.js';
import { openDatabase } from './sqlite.js';

/**
 * An append as the main thread hands it over: its frames laid end to end, not yet sealed.
 * @typedef {object} PendingAppend
 * @property {string} stream
 * @property {string} home
 * @property {number} expected revision, -1 for a stream that does not exist
 * @property {Buffer[]} frames
 */

/** How an append ended: `[outcome, revision, position]`, see `messages.ts`. */
const WRITTEN = 0;
const CONFLICT = 1;
const OVERLAP = 2;

/** Streams whose head is remembered between groups. */
const REMEMBERED_HEADS = 20_000;

export class LogWriter {
  #folder;
  #faults;
  #db;
  #statements;
  #epoch;
  #position;
  #sum;
  #recorded;
  /** @type {Map<string, number>} */
  #heads = new Map();

  /**
   * Opens the log in the folder, creating it if there is none.
   * @param {string} folder
   * @param {string} newEpoch of the log if it is created
   * @param {import('./messages.ts').WriterFaults} faults
   */
  constructor(folder, newEpoch, faults) {
    this.#folder = folder;
    this.#faults = faults;
    const file = path.join(folder, FILES.log);
    if (!holdsLog(file, folder)) createLog(file, newEpoch);
    const end = inspectLog(folder);
    this.#epoch = end.epoch;
    this.#position = end.position;
    this.#sum = end.sum;
    this.#recorded = end.recorded ? end.position : -1;
    this.#db = openDatabase(file);
    this.#db.exec('PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000');
    // What was recovered may never have reached the disk, if the process before us died of a failed
    // sync: the kernel then calls such pages clean. Writing them anew is the only way to be sure.
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#statements = {
      begin: this.#db.prepare('BEGIN IMMEDIATE'),
      commit: this.#db.prepare('COMMIT'),
      insert: this.#db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?)'),
      head: this.#db.prepare('SELECT max(revision) AS head FROM events WHERE stream = ?'),
      there: this.#db.prepare(
        'SELECT frame FROM events WHERE stream = ? AND revision > ? ORDER BY revision LIMIT ?',
      ),
    };
    this.recordHead();
  }

  get epoch() {
    return this.#epoch;
  }

  /** Position of the last event; 0 if there is none. */
  get position() {
    return this.#position;
  }

  /** Whether the head record is behind. */
  get unrecorded() {
    return this.#recorded !== this.#position;
  }

  /**
   * Writes a group of appends in one transaction. Returns once it is durable; throws if that is not
   * certain, and then this writer must not be used again.
   * @param {PendingAppend[]} group
   * @returns {number[]} three numbers for each append
   */
  append(group) {
    /** @type {number[]} */
    const outcomes = [];
    const before = this.#position;
    this.#statements.begin.run();
    for (const append of group) this.#one(append, outcomes);
    this.#faults.beforeCommit?.();
    this.#statements.commit.run();
    this.#faults.afterCommit?.();
    if (this.#position !== before && this.#heads.size > REMEMBERED_HEADS) this.#heads.clear();
    return outcomes;
  }

  /**
   * @param {PendingAppend} append
   * @param {number[]} outcomes
   */
  #one({ stream, home, expected, frames }, outcomes) {
    const head = this.#headOf(stream);
    if (expected !== head) {
      this.#compare(stream, expected, head, frames, outcomes);
      return;
    }
    const { insert } = this.#statements;
    let revision = head;
    for (const frame of frames) {
      revision += 1;
      const position = this.#position + 1;
      this.#sum = sealFrame(frame, position, this.#sum);
      insert.run(position, stream, revision, home, frame);
      this.#position = position;
    }
    this.#heads.set(stream, revision);
    outcomes.push(WRITTEN, revision, this.#position);
  }

  /**
   * A re-send of what is there, or a conflict.
   * @param {string} stream
   * @param {number} expected
   * @param {number} head
   * @param {Buffer[]} frames
   * @param {number[]} outcomes
   */
  #compare(stream, expected, head, frames, outcomes) {
    const rows = /** @type {{ frame: Uint8Array }[]} */ (
      expected > head ? [] : this.#statements.there.all(stream, expected, frames.length)
    );
    const there = rows.map(({ frame }) =>
      Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength),
    );
    let same = 0;
    for (const [i, frame] of there.entries()) {
      const sent = frames[i];
      if (sent !== undefined && envelopeField(frame, 1) === envelopeField(sent, 1)) same += 1;
    }
    const last = there.at(-1);
    if (same === frames.length && last !== undefined) {
      outcomes.push(WRITTEN, expected + same, last.readUIntLE(8, 6));
    } else {
      outcomes.push(same > 0 ? OVERLAP : CONFLICT, head, 0);
    }
  }

  /** @param {string} stream */
  #headOf(stream) {
    const known = this.#heads.get(stream);
    if (known !== undefined) return known;
    const row = /** @type {{ head: number | null }} */ (this.#statements.head.get(stream));
    const head = row.head ?? -1;
    this.#heads.set(stream, head);
    return head;
  }

  /** Writes the head record, if the log has grown since. */
  recordHead() {
    if (!this.unrecorded) return;
    this.#faults.beforeRecord?.();
    writeHeadRecord(this.#folder, {
      epoch: this.#epoch,
      position: this.#position,
      sum: this.#sum,
    });
    this.#recorded = this.#position;
  }

  /**
   * Folds the write-ahead log in and closes. The binding keeps a closed connection alive until its
   * statements are collected, so SQLite's own folding at close cannot be relied on.
   * @param {boolean} sound false after a failure: then nothing more is written
   */
  close(sound) {
    try {
      this.#db.exec(sound ? 'PRAGMA wal_checkpoint(TRUNCATE)' : 'ROLLBACK');
    } catch (error) {
      // After a failure SQLite may have rolled back by itself.
      if (sound) throw error;
    } finally {
      this.#db.close();
    }
  }
}

/**
 * @param {string} file
 * @param {string} folder
 */
function holdsLog(file, folder) {
  if (existsSync(file)) {
    if (readHeadRecord(folder) === 'absent') rollCreationBack(file);
    // Creation commits the tables at once: a death before leaves a file without any.
    const db = openDatabase(file, { readOnly: true });
    try {
      const row = /** @type {{ n: number }} */ (
        db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()
      );
      if (row.n > 0) return true;
    } catch {
      return true; // Not readable: the inspection names what is wrong with it.
    } finally {
      db.close();
    }
  }
  const record = readHeadRecord(folder);
  if (record === 'absent' || (record !== 'damaged' && record.position === 0)) return false;
  throw corrupt(folder, `${FILES.log} is missing or empty, but events were recorded`);
}

/**
 * A log has no rollback journal: one that lies there is of a creation that was cut short, before
 * there was anything to record. Only who may write can roll it back; else it stays for ever.
 * @param {string} file
 */
function rollCreationBack(file) {
  const journal = `${file}-journal`;
  if (!existsSync(journal)) return;
  const db = openDatabase(file);
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    rmSync(journal, { force: true });
  } catch {
    // Not readable: the inspection names what is wrong with it.
  } finally {
    db.close();
  }
}

/**
 * @param {string} file
 * @param {string} epoch
 */
function createLog(file, epoch) {
  const db = openDatabase(file);
  try {
    createTables(db, epoch);
  } finally {
    db.close();
  }
}
