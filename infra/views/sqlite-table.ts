/**
 * One table on SQLite: a write-back buffer over a cache over the rows on disk. Rows are written to
 * SQLite once per flush however often they were put, and indexes only where their keys have moved.
 */
import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';

import { boundsOf, cursorOf, cursorTag } from './cursor.ts';
import { lastPart, partsText, partText } from './keys.ts';
import type { IndexKey, RangeItem, RangeOptions, Table } from './port.ts';
import { parseRow, sealRow } from './rows.ts';
import { unknownIndex } from './schema.ts';

/** What is known of a row. */
interface Entry {
  /** The present row; null where there is none. */
  readonly row: object | null;
  /** The row as SQLite holds it; null where it holds none; undefined where that is not known. */
  readonly stored: object | null | undefined;
}

interface Index {
  readonly tag: string;
  readonly of: (row: object) => IndexKey | undefined;
  readonly forwards: RangeStatements;
  readonly backwards: RangeStatements;
}

interface RangeStatements {
  readonly open: StatementSyncInstance;
  readonly closed: StatementSyncInstance;
}

export class SqliteTable {
  readonly table: Table;
  readonly #indexes = new Map<string, Index>();
  readonly #select: StatementSyncInstance;
  readonly #page: StatementSyncInstance;
  readonly #insert: StatementSyncInstance;
  readonly #upsert: StatementSyncInstance;
  readonly #update: StatementSyncInstance;
  readonly #delete: StatementSyncInstance;
  readonly #cacheRows: number;
  #dirty = new Map<string, Entry>();
  // Two generations make a cache that forgets what was not used lately, without a list to keep.
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();

  /** @param sql name of the SQL table, made by {@link createTable}. */
  constructor(db: DatabaseSyncInstance, sql: string, table: Table, cacheRows: number) {
    this.table = table;
    this.#cacheRows = cacheRows;
    const columns: string[] = [];
    for (const [name, of] of indexesOf(table)) {
      const column = `i${columns.length}`;
      columns.push(column);
      this.#indexes.set(name, {
        tag: cursorTag(table.name, name),
        of,
        forwards: rangeStatements(db, sql, column, 'ASC'),
        backwards: rangeStatements(db, sql, column, 'DESC'),
      });
    }
    const values = ['?', '?', ...columns.map(() => '?')].join(', ');
    const moved = columns.map((c) => `, ${c} = excluded.${c}`).join('');
    this.#select = db.prepare(`SELECT body FROM ${sql} WHERE k = ?`);
    this.#page = db.prepare(`SELECT k, body FROM ${sql} WHERE k > ? ORDER BY k LIMIT 500`);
    this.#insert = db.prepare(`INSERT INTO ${sql} VALUES (${values})`);
    this.#upsert = db.prepare(
      `INSERT INTO ${sql} VALUES (${values}) ON CONFLICT (k) DO UPDATE SET body = excluded.body${moved}`,
    );
    this.#update = db.prepare(`UPDATE ${sql} SET body = ? WHERE k = ?`);
    this.#delete = db.prepare(`DELETE FROM ${sql} WHERE k = ?`);
  }

  /** Rows put or deleted since the last flush. */
  get dirty(): number {
    return this.#dirty.size;
  }

  get(key: string): object | undefined {
    const k = partText(key);
    return (this.#dirty.get(k) ?? this.#clean(k)).row ?? undefined;
  }

  put(key: string, row: object): void {
    sealRow(this.table, key, row);
    const k = partText(key);
    this.#dirty.set(k, { row, stored: this.#stored(k) });
  }

  delete(key: string): void {
    const k = partText(key);
    this.#dirty.set(k, { row: null, stored: this.#stored(k) });
  }

  /** Reads an index. The caller has flushed the table. */
  range<R>(name: string, prefix: IndexKey, options: RangeOptions): RangeItem<R>[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw unknownIndex(this.table, name);
    const { from, fromExclusive, to } = boundsOf(index.tag, partsText(prefix), options);
    const statements = options.reverse === true ? index.backwards : index.forwards;
    // An exclusive start costs no statement of its own: at most its one row is left out afterwards.
    const limit = options.limit + (fromExclusive ? 1 : 0);
    const found =
      to === undefined ? statements.open.all(from, limit) : statements.closed.all(from, to, limit);
    const items: RangeItem<R>[] = [];
    for (const { at, body } of found as { at: string; body: string }[]) {
      if (items.length === options.limit) break;
      if (fromExclusive && at === from) continue;
      const row = this.#known(lastPart(at))?.row ?? parseRow(body);
      // The row is what was put under the table's type: the store never changes one.
      items.push({ cursor: cursorOf(index.tag, at), row: row as R });
    }
    return items;
  }

  /**
   * Writes dirty rows into SQLite, inside the caller's transaction: those longest dirty first.
   *
   * @param most rows to write; absent: all.
   */
  flush(most = this.#dirty.size): void {
    let left = most;
    for (const [k, { row, stored }] of this.#dirty) {
      if (left-- <= 0) return;
      this.#write(k, row, stored);
      this.#dirty.delete(k);
      this.#remember(k, { row, stored: row });
    }
  }

  /** Forgets buffer and cache: SQLite has gone back to its last commit, or was emptied. */
  forget(): void {
    this.#dirty = new Map();
    this.#young = new Map();
    this.#old = new Map();
  }

  /** Every row by primary key, in the order of its bytes. The caller has flushed the table. */
  *rows(): Generator<object> {
    let last = '';
    for (;;) {
      const page = this.#page.all(last) as { k: string; body: string }[];
      for (const { body } of page) yield parseRow(body);
      const end = page.at(-1);
      if (end === undefined) return;
      last = end.k;
    }
  }

  #write(k: string, row: object | null, stored: object | null | undefined): void {
    if (row === null) {
      if (stored !== null) this.#delete.run(k);
      return;
    }
    const body = JSON.stringify(row);
    const texts: (string | null)[] = [];
    let moved = !stored;
    for (const { of } of this.#indexes.values()) {
      const text = textIn(of, row, k);
      texts.push(text);
      moved ||= stored ? textIn(of, stored, k) !== text : true;
    }
    if (moved) (stored === null ? this.#insert : this.#upsert).run(k, body, ...texts);
    else this.#update.run(body, k);
  }

  #stored(k: string): object | null | undefined {
    return (this.#dirty.get(k) ?? this.#known(k))?.stored;
  }

  /** The cached entry; moves it among the young. */
  #known(k: string): Entry | undefined {
    const young = this.#young.get(k);
    if (young !== undefined) return young;
    const old = this.#old.get(k);
    if (old !== undefined) this.#remember(k, old);
    return old;
  }

  #clean(k: string): Entry {
    const known = this.#known(k);
    if (known !== undefined) return known;
    const found = this.#select.get(k) as { body: string } | undefined;
    const row = found === undefined ? null : parseRow(found.body);
    const entry = { row, stored: row };
    this.#remember(k, entry);
    return entry;
  }

  #remember(k: string, entry: Entry): void {
    if (this.#young.size >= this.#cacheRows / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(k, entry);
  }
}

/** SQL that makes a table. Index columns hold where the row stands; a row may stand in none. */
export function createTable(sql: string, table: Table): string {
  const columns = indexesOf(table).map((_, i) => `i${i}`);
  return [
    `CREATE TABLE ${sql} (k TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL` +
      `${columns.map((c) => `, ${c} TEXT`).join('')});`,
    ...columns.map((c) => `CREATE INDEX ${sql}_${c} ON ${sql} (${c}) WHERE ${c} IS NOT NULL;`),
  ].join('\n');
}

/** In an order that does not depend on how the declaration is written. */
function indexesOf(table: Table): [name: string, of: Index['of']][] {
  return Object.entries(table.indexes).sort(([a], [b]) => (a < b ? -1 : 1));
}

function textIn(of: Index['of'], row: object, k: string): string | null {
  const parts = of(row);
  return parts === undefined ? null : partsText(parts) + k;
}

function rangeStatements(
  db: DatabaseSyncInstance,
  sql: string,
  column: string,
  order: 'ASC' | 'DESC',
): RangeStatements {
  const head = `SELECT ${column} AS at, body FROM ${sql} WHERE ${column} >= ?`;
  const tail = `ORDER BY ${column} ${order} LIMIT ?`;
  return {
    open: db.prepare(`${head} ${tail}`),
    closed: db.prepare(`${head} AND ${column} < ? ${tail}`),
  };
}
