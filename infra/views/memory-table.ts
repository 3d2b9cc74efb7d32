/** One table in memory: rows by primary key, and each index as a sorted list of where rows stand. */
import { boundsOf, cursorOf, cursorTag } from './cursor.ts';
import { partsText, partText, sortText } from './keys.ts';
import type { IndexKey, RangeItem, RangeOptions, Table } from './port.ts';
import { sealRow } from './rows.ts';
import { unknownIndex } from './schema.ts';

interface Index {
  readonly tag: string;
  readonly of: (row: object) => IndexKey | undefined;
  /** Sort texts in order. */
  readonly texts: string[];
  readonly rows: Map<string, object>;
}

export class MemoryTable {
  readonly #table: Table;
  readonly #rows = new Map<string, object>();
  readonly #indexes = new Map<string, Index>();

  constructor(table: Table) {
    this.#table = table;
    for (const [name, of] of Object.entries(table.indexes)) {
      this.#indexes.set(name, {
        tag: cursorTag(table.name, name),
        of,
        texts: [],
        rows: new Map(),
      });
    }
  }

  get(key: string): object | undefined {
    return this.#rows.get(key);
  }

  /** Puts a row, or deletes it; answers what was there before. */
  set(key: string, row: object | undefined): object | undefined {
    if (row !== undefined) sealRow(this.#table, key, row);
    const before = this.#rows.get(key);
    for (const index of this.#indexes.values()) {
      const was = before && textIn(index, before, key);
      const is = row && textIn(index, row, key);
      if (was !== undefined && was !== is) remove(index, was);
      if (is !== undefined && row !== undefined) {
        if (is !== was) insert(index, is);
        index.rows.set(is, row);
      }
    }
    if (row === undefined) this.#rows.delete(key);
    else this.#rows.set(key, row);
    return before;
  }

  range<R>(name: string, prefix: IndexKey, options: RangeOptions): RangeItem<R>[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw unknownIndex(this.#table, name);
    const { from, fromExclusive, to } = boundsOf(index.tag, partsText(prefix), options);
    const { texts } = index;
    let start = lowerBound(texts, from);
    if (fromExclusive && texts[start] === from) start += 1;
    const stop = to === undefined ? texts.length : lowerBound(texts, to);
    const picked =
      options.reverse === true
        ? texts.slice(Math.max(start, stop - options.limit), Math.max(start, stop)).reverse()
        : texts.slice(start, Math.min(stop, start + options.limit));
    return picked.map((text) => ({
      cursor: cursorOf(index.tag, text),
      row: index.rows.get(text) as R,
    }));
  }

  /** By primary key, in the order of its bytes. */
  *rows(): Generator<readonly [key: string, row: object]> {
    const keys = [...this.#rows.keys()].map((key) => [partText(key), key] as const);
    keys.sort((a, b) => (a[0] < b[0] ? -1 : 1));
    for (const [, key] of keys) {
      const row = this.#rows.get(key);
      if (row !== undefined) yield [key, row];
    }
  }
}

function textIn(index: Index, row: object, key: string): string | undefined {
  const parts = index.of(row);
  return parts === undefined ? undefined : sortText(parts, key);
}

function insert({ texts }: Index, text: string): void {
  const last = texts.at(-1);
  // Most lists grow at their end; only the rest has to move others aside.
  if (last === undefined || last < text) texts.push(text);
  else texts.splice(lowerBound(texts, text), 0, text);
}

function remove({ texts, rows }: Index, text: string): void {
  const at = lowerBound(texts, text);
  if (texts[at] === text) texts.splice(at, 1);
  rows.delete(text);
}

/** The first place whose text is not below the given one. */
function lowerBound(texts: readonly string[], text: string): number {
  let low = 0;
  let high = texts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((texts[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
