/**
 * The files of a read model. Each generation is a database of its own, `<file>.<n>`: a rebuild fills
 * the next one and becomes the present by one committed flag. What cannot be trusted starts anew.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';
import { z } from 'zod';
import type { Checkpoint } from '../event-store/port.ts';
import type { Table } from './port.ts';
import { closeModel, lockFile, messageOf, openModel, removeModel } from './sqlite-database.ts';
import { RowMemory } from './row-memory.ts';
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
  /** Writes what is due of the rows that wait, so that no single write takes long. */
  spill(): void;
  commit(checkpoint: Checkpoint | undefined): void;
  rollBack(): void;
  /** From now on, opening finds this generation and no earlier one. Commits. */
  makeReady(checkpoint: Checkpoint | undefined): void;
  /** Drops the transaction under way. */
  close(): void;
  /** Closes and deletes it. */
  remove(): void;
}

const SET_META = 'INSERT OR REPLACE INTO meta VALUES (?, ?)';

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
  memoryBytes: number,
): ViewFiles {
  mkdirSync(dirname(file), { recursive: true });
  const lock = lockFile(file);
  // Numbers only grow: a database that could not leave write-ahead mode is closed late, and then
  // deletes its write-ahead log by name. No later database may have that name.
  let last = Math.max(0, ...generationsOf(file));
  const opened = (db: DatabaseSyncInstance, path: string): ViewFile =>
    new OpenFile(db, path, tables, memoryBytes);
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
        if (db === undefined) removeModel(path);
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
  readonly #memory: RowMemory;
  readonly #setMeta: StatementSyncInstance;

  constructor(
    db: DatabaseSyncInstance,
    path: string,
    tables: ReadonlyMap<string, Table>,
    memoryBytes: number,
  ) {
    this.#db = db;
    this.#path = path;
    this.#setMeta = db.prepare(SET_META);
    this.#memory = new RowMemory(memoryBytes, () => {
      this.#writeAged(1);
      for (const table of this.tables.values()) table.age();
    });
    for (const [name, sql] of sqlNames(tables)) {
      const table = tables.get(name);
      if (table !== undefined) this.tables.set(name, new SqliteTable(db, sql, table, this.#memory));
    }
    const stored = readMeta(db, 'checkpoint');
    if (stored !== undefined) this.checkpoint = CheckpointSchema.parse(JSON.parse(stored));
  }

  begin(): void {
    if (!this.#db.isTransaction) this.#db.exec('BEGIN');
  }

  spill(): void {
    this.#writeAged(this.#memory.passed);
  }

  commit(checkpoint: Checkpoint | undefined): void {
    this.begin();
    if (checkpoint !== undefined) {
      const { epoch, position, eventId } = checkpoint;
      this.#setMeta.run('checkpoint', JSON.stringify({ epoch, position, eventId }));
    }
    this.#db.exec('COMMIT');
  }

  rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }

  makeReady(checkpoint: Checkpoint | undefined): void {
    this.begin();
    this.#setMeta.run('ready', 'yes');
    this.commit(checkpoint);
  }

  close(): void {
    this.rollBack();
    closeModel(this.#db);
  }

  remove(): void {
    this.close();
    removeModel(this.#path);
  }

  #writeAged(passed: number): void {
    for (const table of this.tables.values()) {
      if (!table.isDue(passed)) continue;
      this.begin();
      table.writeAged(passed);
    }
  }
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
  let db: DatabaseSyncInstance | undefined;
  try {
    db = openModel(path);
    if (readMeta(db, 'ready') === 'yes' && readMeta(db, 'fingerprint') === fingerprint) return db;
  } catch (error) {
    if (db !== undefined) closeModel(db);
    // Another program's file, half a file, or one without our tables.
    if (!/not a database|malformed|no such table/.test(messageOf(error))) throw error;
    return undefined;
  }
  closeModel(db);
  return undefined;
}

function newDatabase(
  path: string,
  fingerprint: string,
  tables: ReadonlyMap<string, Table>,
): DatabaseSyncInstance {
  removeModel(path);
  const db = openModel(path);
  db.exec('BEGIN');
  db.exec('CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)');
  for (const [name, sql] of sqlNames(tables)) {
    const table = tables.get(name);
    if (table !== undefined) db.exec(createTable(sql, table));
  }
  db.prepare(SET_META).run('fingerprint', fingerprint);
  db.exec('COMMIT');
  return db;
}

/** SQL names by table name: numbered in the order of the names, which the fingerprint covers. */
function sqlNames(tables: ReadonlyMap<string, Table>): [name: string, sql: string][] {
  return [...tables.keys()].sort().map((name, i) => [name, `t${i}`]);
}

function readMeta(db: DatabaseSyncInstance, name: string): string | undefined {
  const row: unknown = db.prepare('SELECT value FROM meta WHERE name = ?').get(name);
  return row === undefined ? undefined : z.object({ value: z.string() }).parse(row).value;
}
