/**
 * Which events are of which home: EventStoreDB has no index of ours, so each process keeps one on its
 * own disk, filled from the log. It holds where events stand, not the events, and may be deleted at
 * any time: it is made again.
 */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { formatPosition, type Position, type StoredEvent } from '@bivouac/events/language';
import { z } from 'zod';
import { openDatabase } from '../embedded/sqlite.js';

/** Where an event of a home stands. */
export interface HomeEntry {
  readonly position: Position;
  readonly stream: string;
  readonly revision: bigint;
}

/** The last event that is in the index. */
export interface IndexedUpTo {
  readonly position: Position;
  readonly eventId: string;
}

/** The shape of the tables; a file of another one is made anew. */
const VERSION = 2;
const FILE = 'home-index.sqlite';

const Entries = z.array(
  z.object({ position: z.number(), stream: z.string(), revision: z.number() }),
);
const Progress = z.object({ epoch: z.string(), position: z.string(), event_id: z.string() });

const Neighbour = z.object({ n: z.number().nullable() });

type Database = ReturnType<typeof openDatabase>;

export class HomeIndex {
  readonly #db: Database;
  readonly #epoch: string;
  readonly #statements: Record<
    'add' | 'progress' | 'read' | 'before' | 'behind',
    ReturnType<Database['prepare']>
  >;
  #upTo: IndexedUpTo | undefined;

  /**
   * Opens the index in a folder; one of another log, or that cannot be read, is begun anew.
   *
   * @param folder - of this process alone
   */
  static open(folder: string, epoch: string): HomeIndex {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = path.join(folder, FILE);
    try {
      const index = new HomeIndex(file, epoch);
      if (index.#isOurs()) return index;
      index.close();
    } catch {
      // Damaged, or no database: nothing in it is needed.
    }
    return HomeIndex.anew(folder, epoch);
  }

  /** An empty index in place of whatever is there. */
  static anew(folder: string, epoch: string): HomeIndex {
    const file = path.join(folder, FILE);
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    const index = new HomeIndex(file, epoch);
    index.#db.exec(`PRAGMA user_version = ${VERSION}`);
    return index;
  }

  private constructor(file: string, epoch: string) {
    this.#epoch = epoch;
    this.#db = openDatabase(file);
    try {
      // What a power cut takes is indexed again.
      this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
        CREATE TABLE IF NOT EXISTS entries (
          home TEXT NOT NULL, position INTEGER NOT NULL, stream TEXT NOT NULL, revision INTEGER NOT NULL,
          PRIMARY KEY (home, position)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS entries_by_position ON entries (position);
        CREATE TABLE IF NOT EXISTS progress (
          one INTEGER PRIMARY KEY CHECK (one = 1),
          epoch TEXT NOT NULL, position TEXT NOT NULL, event_id TEXT NOT NULL
        ) STRICT`);
      this.#statements = {
        add: this.#db.prepare('INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?)'),
        progress: this.#db.prepare('INSERT OR REPLACE INTO progress VALUES (1, ?, ?, ?)'),
        read: this.#db.prepare(
          `SELECT position, stream, revision FROM entries
           WHERE home = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?`,
        ),
        before: this.#db.prepare('SELECT max(position) AS n FROM entries WHERE position <= ?'),
        behind: this.#db.prepare('SELECT min(position) AS n FROM entries WHERE position >= ?'),
      };
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  get upTo(): IndexedUpTo | undefined {
    return this.#upTo;
  }

  /** Takes in the events that follow {@link upTo}, in order. */
  add(events: readonly StoredEvent[]): void {
    const last = events.at(-1);
    if (last === undefined) return;
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      for (const { homeid, position, stream, revision } of events) {
        // Positions are bytes of the log: a number holds them up to 9 petabytes.
        this.#statements.add.run(homeid, Number(position), stream, Number(revision));
      }
      this.#statements.progress.run(this.#epoch, last.position, last.id);
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
    this.#upTo = { position: last.position, eventId: last.id };
  }

  /** The entries of a home after a position and up to another, the first `limit` of them. */
  entries(home: string, after: number, upTo: number, limit: number): HomeEntry[] {
    return Entries.parse(this.#statements.read.all(home, after, upTo, limit)).map((entry) => ({
      position: formatPosition(BigInt(entry.position)),
      stream: entry.stream,
      revision: BigInt(entry.revision),
    }));
  }

  /** The last event at or before a place in the log, or the first at or behind it. */
  neighbour(n: bigint, which: 'before' | 'behind'): Position | undefined {
    const found = Neighbour.parse(this.#statements[which].get(Number(n))).n;
    return found === null ? undefined : formatPosition(BigInt(found));
  }

  close(): void {
    this.#db.close();
  }

  #isOurs(): boolean {
    const version = z
      .object({ user_version: z.number() })
      .parse(this.#db.prepare('PRAGMA user_version').get());
    if (version.user_version !== VERSION) return false;
    const row = this.#db.prepare('SELECT epoch, position, event_id FROM progress').get();
    if (row === undefined) return true;
    const { epoch, position, event_id: eventId } = Progress.parse(row);
    if (epoch !== this.#epoch) return false;
    this.#upTo = { position, eventId };
    return true;
  }
}
