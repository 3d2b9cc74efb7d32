/**
 * The file of a read model: opened for this process alone, with its tables, its checkpoint and the
 * fingerprint of the schema it was written under. A file that cannot be trusted is started anew.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { z } from 'zod';
import type { Checkpoint } from '../event-store/port.ts';
import type { Table } from './port.ts';
import { createTable, SqliteTable } from './sqlite-table.ts';

export interface ViewFile {
  readonly tables: ReadonlyMap<string, SqliteTable>;
  /** As committed when the file was opened. */
  readonly checkpoint: Checkpoint | undefined;
  /** Starts a transaction unless one is under way. */
  begin(): void;
  commit(checkpoint: Checkpoint): void;
  rollBack(): void;
  /** Drops the transaction under way. */
  close(): void;
}

// NORMAL: a power cut loses commits, never their order or their wholeness, and the log has them all.
// EXCLUSIVE: no shared memory, no lock to take for each statement, and a second opener is refused.
const PRAGMAS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -8000;
  PRAGMA temp_store = MEMORY;
`;

const CheckpointSchema = z.object({
  epoch: z.string(),
  position: z.string(),
  eventId: z.string(),
});

/** Opens the file, or makes it where there is none or none that fits the fingerprint. */
export function openViewFile(
  file: string,
  fingerprint: string,
  tables: ReadonlyMap<string, Table>,
  cacheRows: number,
): ViewFile {
  mkdirSync(dirname(file), { recursive: true });
  const db = fittingDatabase(file, fingerprint) ?? newDatabase(file, fingerprint, tables);
  return new OpenFile(db, tables, cacheRows);
}

/** Removes a read model's file and what stands beside it. */
export function removeViewFile(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
}

/** Puts another file in the place of a read model's. Both are closed. */
export function replaceViewFile(file: string, by: string): void {
  // Closing has moved everything into the one file; if it has not, the rename would lose rows.
  if (existsSync(`${by}-wal`)) throw new Error(`${by} was not closed in order: rebuild again`);
  removeViewFile(file);
  renameSync(by, file);
}

class OpenFile implements ViewFile {
  readonly tables = new Map<string, SqliteTable>();
  readonly checkpoint: Checkpoint | undefined;
  // Statements live in this object and in its tables only: one that outlives its database crashes.
  readonly #db: DatabaseSyncInstance;

  constructor(db: DatabaseSyncInstance, tables: ReadonlyMap<string, Table>, cacheRows: number) {
    this.#db = db;
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

  commit(checkpoint: Checkpoint): void {
    const { epoch, position, eventId } = checkpoint;
    writeMeta(this.#db, 'checkpoint', JSON.stringify({ epoch, position, eventId }));
    this.#db.exec('COMMIT');
  }

  rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }

  close(): void {
    this.rollBack();
    this.#db.close();
  }
}

/** The existing database, if it is whole and of this schema. */
function fittingDatabase(file: string, fingerprint: string): DatabaseSyncInstance | undefined {
  if (!existsSync(file)) return undefined;
  const db = openDatabase(file);
  try {
    db.exec(PRAGMAS);
    if (readMeta(db, 'fingerprint') === fingerprint) return db;
  } catch (error) {
    db.close();
    if (isInUse(error)) {
      throw new Error(`${file} is open in another process: stop it, or use another data folder`, {
        cause: error,
      });
    }
    if (!isDamage(error)) throw error;
    return undefined;
  }
  db.close();
  return undefined;
}

function newDatabase(
  file: string,
  fingerprint: string,
  tables: ReadonlyMap<string, Table>,
): DatabaseSyncInstance {
  removeViewFile(file);
  const db = openDatabase(file);
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

function openDatabase(file: string): DatabaseSyncInstance {
  try {
    return new DatabaseSync(file);
  } catch (cause) {
    throw new Error(`cannot open the read model ${file}: check that its folder can be written`, {
      cause,
    });
  }
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

function isInUse(error: unknown): boolean {
  return error instanceof Error && /database is locked|SQLITE_BUSY/.test(error.message);
}

/** Another program's file, half a file, or one without our tables. */
function isDamage(error: unknown): boolean {
  return (
    error instanceof Error &&
    /not a database|malformed|no such table|SQLITE_CORRUPT|SQLITE_NOTADB/.test(error.message)
  );
}
