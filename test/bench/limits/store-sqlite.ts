/**
 * The limit of the embedded log: what plain SQLite does with the same rows, the same two indexes and
 * the same durability, in the same thread, with nothing checked. Nobody can be faster on it.
 */
import { DatabaseSync } from '@photostructure/sqlite';
import path from 'node:path';

import type { BenchRow } from './store-rows.ts';

type Statement = ReturnType<InstanceType<typeof DatabaseSync>['prepare']>;

/** A bare table of events. */
export class BareLog {
  readonly #db: InstanceType<typeof DatabaseSync>;
  readonly #insert;
  readonly #begin;
  readonly #commit;
  readonly #scan;
  readonly #bodies;
  #position = 0;

  constructor(folder: string) {
    this.#db = new DatabaseSync(path.join(folder, 'limit.sqlite'));
    this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 2000;
      CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT NOT NULL,
        revision INTEGER NOT NULL, home TEXT NOT NULL, envelope TEXT NOT NULL, body TEXT NOT NULL) STRICT;
      CREATE UNIQUE INDEX events_by_stream ON events (stream, revision);
      CREATE INDEX events_by_home ON events (home);`);
    this.#insert = this.#db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)');
    this.#begin = this.#db.prepare('BEGIN IMMEDIATE');
    this.#commit = this.#db.prepare('COMMIT');
    this.#scan = this.#db.prepare(
      'SELECT * FROM events WHERE position > ? ORDER BY position LIMIT ?',
    );
    this.#bodies = this.#db.prepare(
      'SELECT body FROM events WHERE position > ? ORDER BY position LIMIT ?',
    );
  }

  /** Inserts and commits rows in one transaction. */
  append(rows: readonly BenchRow[]): void {
    this.#begin.run();
    for (const { stream, revision, envelope, body } of rows) {
      this.#position += 1;
      const text = Object.values(envelope).join('\0');
      this.#insert.run(
        this.#position,
        stream,
        revision,
        envelope.homeid,
        text,
        JSON.stringify(body),
      );
    }
    this.#commit.run();
  }

  /** Reads whole rows in pages and parses each body. Answers the number of rows. */
  scan(page: number): number {
    return this.#read(this.#scan, page);
  }

  /** As {@link scan}, but reads nothing but the bodies. */
  scanBodies(page: number): number {
    return this.#read(this.#bodies, page);
  }

  close(): void {
    this.#db.close();
  }

  #read(statement: Statement, page: number): number {
    let n = 0;
    for (;;) {
      const rows = statement.all(n, page) as { body: string }[];
      for (const row of rows) JSON.parse(row.body);
      n += rows.length;
      if (rows.length < page) return n;
    }
  }
}
