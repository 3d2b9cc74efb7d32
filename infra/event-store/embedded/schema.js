/**
 * The tables of the embedded log. `stream`, `revision` and `home` repeat what the frame says: they
 * are there to be indexed, and opening compares the indexes with the table.
 */

/** The names of the files of a log in its folder. */
export const FILES = /** @type {const} */ ({
  log: 'events.sqlite',
  head: 'events.head',
  lock: 'events.lock',
});

/** Marks the file as ours, and its format. */
export const APPLICATION_ID = 0x42697631;

const STATEMENTS = [
  `CREATE TABLE log (epoch TEXT NOT NULL, origin TEXT NOT NULL) STRICT`,
  `CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    revision INTEGER NOT NULL,
    home TEXT NOT NULL,
    frame BLOB NOT NULL
  ) STRICT`,
  `CREATE UNIQUE INDEX events_by_stream ON events (stream, revision)`,
  `CREATE INDEX events_by_home ON events (home)`,
];

/**
 * Creates the tables of an empty log.
 * @param {import('./sqlite.js').Database} db
 * @param {string} epoch
 */
export function createTables(db, epoch) {
  // The file is in write-ahead mode from its first byte: a log of the other mode is never ours.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('BEGIN IMMEDIATE');
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  for (const statement of STATEMENTS) db.exec(statement);
  db.prepare('INSERT INTO log (epoch, origin) VALUES (?, ?)').run(epoch, epoch);
  db.exec('COMMIT');
}

/**
 * Whether the file holds exactly these tables.
 * @param {import('./sqlite.js').Database} db
 */
export function hasTables(db) {
  const rows = /** @type {{ sql: string }[]} */ (
    db.prepare('SELECT sql FROM sqlite_schema ORDER BY rowid').all()
  );
  return rows.length === STATEMENTS.length && rows.every((row, i) => row.sql === STATEMENTS[i]);
}
