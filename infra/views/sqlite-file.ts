/**
 * The files of a read model. Each generation is a database of its own, `<file>.<n>`: a rebuild fills
 * the next one and becomes the present by one committed flag. What cannot be trusted starts anew.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { z } from 'zod';
import type { Checkpoint } from '../event-store/port.ts';
import type { Table } from './port.ts';
import { createTable, SqliteTable } from './sqlite-table.ts';

export interface ViewFiles {
  /** The last generation that was made ready, if it is whole and of this schema, else a new one. */
  present(): ViewFile;
  /** A new, empty generation. The present one stays until the new one is made ready. */
  next(): ViewFile;
  /** Lets another process open them. */
  unlock(): void;
}

/** One generation, open. */
export interface ViewFile {
  readonly tables: ReadonlyMap<string, SqliteTable>;
  /** As committed when the file was opened. */
  readonly checkpoint: Checkpoint | undefined;
  /** Starts a transaction unless one is under way. */
  begin(): void;
  commit(checkpoint: Checkpoint | undefined): void;
  rollBack(): void;
  /** From now on, opening finds this generation and no earlier one. Commits. */
  makeReady(checkpoint: Checkpoint | undefined): void;
  /** Drops the transaction under way. */
  close(): void;
  /** Closes and deletes it. */
  remove(): void;
}

// NORMAL: a power cut loses commits, never their order or their wholeness, and the log has them all.
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -4000;
  PRAGMA temp_store = MEMORY;
`;

const CheckpointSchema = z.object({
  epoch: z.string(),
  position: z.string(),
  eventId: z.string(),
});

/**
 * Takes the read model's files for this process.
 *
 * @throws Error where another process has them, or the folder cannot be written.
 */
export function openViewFiles(
  file: string,
  fingerprint: string,
  tables: ReadonlyMap<string, Table>,
  cacheRows: number,
): ViewFiles {
  mkdirSync(dirname(file), { recursive: true });
  const lock = lockFile(file);
  // Numbers only grow: a database whose statements are not collected yet is closed late, and then
  // deletes its write-ahead log by name. No later database may have that name.
  let last = Math.max(0, ...generationsOf(file));
  const opened = (db: DatabaseSyncInstance, path: string): ViewFile =>
    new OpenFile(db, path, tables, cacheRows);
  const next = (): ViewFile => {
    const path = `${file}.${++last}`;
    return opened(newDatabase(path, fingerprint, tables), path);
  };
  return {
    present() {
      let found: ViewFile | undefined;
      for (const generation of generationsOf(file)) {
        const path = `${file}.${generation}`;
        const db = found ? undefined : fittingDatabase(path, fingerprint);
        if (db === undefined) removeFile(path);
        else found = opened(db, path);
      }
      if (found !== undefined) return found;
      const made = next();
      made.makeReady(undefined);
      return made;
    },
    next,
    unlock() {
      lock.close();
    },
  };
}

class OpenFile implements ViewFile {
  readonly tables = new Map<string, SqliteTable>();
  readonly checkpoint: Checkpoint | undefined;
  // Statements live in this object and in its tables only: one that outlives its database crashes.
  readonly #db: DatabaseSyncInstance;
  readonly #path: string;

  constructor(
    db: DatabaseSyncInstance,
    path: string,
    tables: ReadonlyMap<string, Table>,
    cacheRows: number,
  ) {
    this.#db = db;
    this.#path = path;
    for (const [name, sql] of sqlNames(tables)) {
      const table = tables.get(name);
      if (table !== undefined) this.tables.set(name, new SqliteTable(db, sql, table, cacheRows));
    }
    const stored = readMeta(db, 'checkpoint');
    if (stored !== undefined) this.checkpoint = CheckpointSchema.parse(JSON.parse(stored));
  }

  begin(): void {
    if (!this.#db.isTransaction) this.#db.exec('BEGIN');
  }

  commit(checkpoint: Checkpoint | undefined): void {
    this.begin();
    if (checkpoint !== undefined) {
      const { epoch, position, eventId } = checkpoint;
      writeMeta(this.#db, 'checkpoint', JSON.stringify({ epoch, position, eventId }));
    }
    this.#db.exec('COMMIT');
  }

  rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }

  makeReady(checkpoint: Checkpoint | undefined): void {
    this.begin();
    writeMeta(this.#db, 'ready', 'yes');
    this.commit(checkpoint);
  }

  close(): void {
    this.rollBack();
    this.#db.close();
  }

  remove(): void {
    this.close();
    removeFile(this.#path);
  }
}

/** Held by the process until it closes or dies: the kernel frees it then. */
function lockFile(file: string): DatabaseSyncInstance {
  const path = `${file}.lock`;
  const lock = openDatabase(path);
  try {
    // No statement is prepared on it, so that closing it really closes.
    lock.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    if (!/locked|BUSY/.test(messageOf(cause))) throw cause;
    throw new Error(
      `the read model ${file} is in use: stop the other process, or give this one another data folder`,
      { cause },
    );
  }
  return lock;
}

/** Numbers of the generations on disk, the last first. */
function generationsOf(file: string): number[] {
  const start = `${basename(file)}.`;
  const found = new Set<number>();
  for (const name of readdirSync(dirname(file))) {
    const number = name.startsWith(start) ? /^(\d+)(-wal)?$/.exec(name.slice(start.length)) : null;
    if (number !== null) found.add(Number(number[1]));
  }
  return [...found].sort((a, b) => b - a);
}

/** An existing database, if it was made ready, is whole and of this schema. */
function fittingDatabase(path: string, fingerprint: string): DatabaseSyncInstance | undefined {
  if (!existsSync(path)) return undefined;
  const db = openDatabase(path);
  try {
    db.exec(PRAGMAS);
    if (readMeta(db, 'ready') === 'yes' && readMeta(db, 'fingerprint') === fingerprint) return db;
  } catch (error) {
    db.close();
    // Another program's file, half a file, or one without our tables.
    if (!/not a database|malformed|no such table/.test(messageOf(error))) throw error;
    return undefined;
  }
  db.close();
  return undefined;
}

function newDatabase(
  path: string,
  fingerprint: string,
  tables: ReadonlyMap<string, Table>,
): DatabaseSyncInstance {
  removeFile(path);
  const db = openDatabase(path);
  db.exec(PRAGMAS);
  db.exec('BEGIN');
  db.exec('CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)');
  for (const [name, sql] of sqlNames(tables)) {
    const table = tables.get(name);
    if (table !== undefined) db.exec(createTable(sql, table));
  }
  writeMeta(db, 'fingerprint', fingerprint);
  db.exec('COMMIT');
  return db;
}

function openDatabase(path: string): DatabaseSyncInstance {
  try {
    return new DatabaseSync(path);
  } catch (cause) {
    throw new Error(`cannot open ${path}: check that its folder can be written`, { cause });
  }
}

function removeFile(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

/** SQL names by table name: numbered in the order of the names, which the fingerprint covers. */
function sqlNames(tables: ReadonlyMap<string, Table>): [name: string, sql: string][] {
  return [...tables.keys()].sort().map((name, i) => [name, `t${i}`]);
}

function readMeta(db: DatabaseSyncInstance, name: string): string | undefined {
  const row: unknown = db.prepare('SELECT value FROM meta WHERE name = ?').get(name);
  return row === undefined ? undefined : z.object({ value: z.string() }).parse(row).value;
}

function writeMeta(db: DatabaseSyncInstance, name: string, value: string): void {
  db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(name, value);
}

function messageOf(error: unknown): string {
  return String((error as { readonly message?: unknown } | null)?.message);
}
