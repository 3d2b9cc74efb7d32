/**
 * One table on SQLite, with the rows used lately in memory. A row put is written when it has not been
 * for a while, once however often it was put, and its indexes only where their keys have moved.
 */
import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';

import { boundsOf, cursorOf, cursorTag } from './cursor.ts';
import { lastPart, partsText, partText } from './keys.ts';
import type { IndexKey, RangeItem, RangeOptions, Table } from './port.ts';
import { type Known, KnownRows, type RowMemory } from './row-memory.ts';
import { parseRow, sealRow } from './rows.ts';
import { unknownIndex } from './schema.ts';

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
  readonly #memory: RowMemory;
  readonly #rows: KnownRows;
  /** How long rows are: what one that was never written counts as. */
  #written = { rows: 1, bytes: 400 };

  /** @param sql name of the SQL table, made by {@link createTable}. */
  constructor(db: DatabaseSyncInstance, sql: string, table: Table, memory: RowMemory) {
    this.table = table;
    this.#memory = memory;
    this.#rows = new KnownRows(memory, (known) => this.#write(known));
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

  /** Whether there are rows that SQLite has not got yet. */
  get isDirty(): boolean {
    return this.#rows.areWaiting;
  }

  get(key: string): object | undefined {
    this.#memory.turn();
    const k = partText(key);
    return (this.#rows.find(k) ?? this.#read(k)).row ?? undefined;
  }

  put(key: string, row: object): void {
    sealRow(this.table, key, row);
    this.#change(partText(key), row);
  }

  delete(key: string): void {
    this.#change(partText(key), null);
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
      const row = this.#rows.find(lastPart(at))?.row ?? parseRow(body);
      // The row is what was put under the table's type: the store never changes one.
      items.push({ cursor: cursorOf(index.tag, at), row: row as R });
    }
    return items;
  }

  /** Writes all rows that SQLite has not got, inside the caller's transaction. */
  flush(): void {
    this.#rows.writeAll();
  }

  /** Whether rows are due to be written when so much of the memory's span has passed. */
  isDue(passed: number): boolean {
    return this.#rows.isDue(passed);
  }

  /** Writes them, inside the caller's transaction. */
  writeAged(passed: number): void {
    this.#rows.writeAged(passed);
  }

  /** The memory's span is over, and nothing is due. */
  age(): void {
    this.#rows.age();
  }

  /** SQLite has gone back to its last commit, or was emptied. */
  forget(): void {
    this.#rows.forget();
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

  #change(k: string, row: object | null): void {
    this.#memory.turn();
    const { bytes, rows } = this.#written;
    const known = this.#rows.find(k) ?? this.#rows.add(k, row, undefined, bytes / rows);
    known.row = row;
    this.#rows.wait(known);
  }

  #write(known: Known): void {
    const { k, row, stored } = known;
    if (row === null) {
      this.#delete.run(k);
      known.stored = null;
      return;
    }
    const body = JSON.stringify(row);
    known.bytes = body.length;
    this.#written.rows += 1;
    this.#written.bytes += body.length;
    const texts: (string | null)[] = [];
    let moved = !stored;
    for (const { of } of this.#indexes.values()) {
      const text = textIn(of, row, k);
      texts.push(text);
      moved ||= stored ? textIn(of, stored, k) !== text : true;
    }
    if (moved) (stored === null ? this.#insert : this.#upsert).run(k, body, ...texts);
    else this.#update.run(body, k);
    known.stored = row;
  }

  #read(k: string): Known {
    const found = this.#select.get(k) as { body: string } | undefined;
    const row = found === undefined ? null : parseRow(found.body);
    return this.#rows.add(k, row, row, found?.body.length ?? 0);
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
