/**
 * Databases of read models, opened and closed: one process at a time, and no file of theirs that
 * comes or goes at a moment nobody chose.
 */
import { rmSync } from 'node:fs';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';

/**
 * Opens a database for reading and writing; makes it if there is none.
 *
 * @throws Error where its folder cannot be written, or it is no database.
 */
export function openModel(path: string): DatabaseSyncInstance {
  const db = openDatabase(path);
  try {
    db.exec(PRAGMAS);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/**
 * Closes, and leaves no file but the database itself. The binding has no way to finalize a statement:
 * SQLite closes a connection only when the last one was collected. Out of write-ahead mode it holds
 * no lock until then, and has no files beside the database that it would delete at any later moment.
 */
export function closeModel(db: DatabaseSyncInstance): void {
  try {
    db.exec('PRAGMA journal_mode = DELETE');
  } catch {
    // A full disk, a damaged file, or somebody reads it: the log beside it is good for the next start.
  }
  db.close();
}

/** Deletes a closed database, if there is one. */
export function removeModel(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

/** Held by the process until it closes or dies: the kernel frees it then. */
export function lockFile(file: string): DatabaseSyncInstance {
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

// NORMAL: a power cut loses commits, never their order or their wholeness, and the log has them all.
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -1000;
  PRAGMA temp_store = MEMORY;
`;

function openDatabase(path: string): DatabaseSyncInstance {
  try {
    return new DatabaseSync(path);
  } catch (cause) {
    throw new Error(`cannot open ${path}: check that its folder can be written`, { cause });
  }
}

/** Of whatever was thrown. */
export function messageOf(error: unknown): string {
  return String((error as { readonly message?: unknown } | null)?.message);
}
