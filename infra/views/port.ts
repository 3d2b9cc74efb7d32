/**
 * Read-model tables: rows by primary key and by declared indexes, and nothing else, so that every
 * query is an index range and every list pages stably. Projections write them, queries read them;
 * the same code runs on the live view (SQLite), on an as-of view (memory) and on a rebuild.
 */

/** The parts of an index key. Compared part by part as bytes; pad numbers to sort them. */
export type IndexKey = readonly string[];

/**
 * A table of plain JSON rows: strings, numbers, booleans, null, arrays, objects. No bigint, no Date.
 */
export interface Table<R extends object = object, I extends string = string> {
  /** Unique within the service, e.g. `containers`. */
  readonly name: string;
  key(row: R): string;
  /** An index yields the row's key parts, or undefined where the row is not in it. */
  readonly indexes: { readonly [K in I]: { of(row: R): IndexKey | undefined }['of'] };
}

/** Declares a table: `table<ContainerRow>()({ name, key, indexes })`. */
export function table<R extends object>() {
  return <const I extends string>(spec: Table<R, I>): Table<R, I> => spec;
}

/** One row of a range, with the cursor to continue behind (or before) it. */
export interface RangeItem<R> {
  /** Opaque text; sorts as the range does. */
  readonly cursor: string;
  readonly row: R;
}

export interface RangeOptions {
  /** Exclusive: only what lies behind this cursor. */
  readonly after?: string | undefined;
  /** Exclusive: only what lies before this cursor. */
  readonly before?: string | undefined;
  /** Most rows to answer. */
  readonly limit: number;
  /** From the end towards the start; the rows come in that order. */
  readonly reverse?: boolean | undefined;
}

/** Reading: what queries get. Synchronous: a view is always on this machine. */
export interface View {
  get<R extends object>(table: Table<R>, key: string): R | undefined;
  /** Rows whose index key starts with the prefix parts, in the order of the index, then of the key. */
  range<R extends object, I extends string>(
    table: Table<R, I>,
    index: I,
    prefix: IndexKey,
    options: RangeOptions,
  ): readonly RangeItem<R>[];
}

/** Writing: what projections get, inside one transaction with the checkpoint. */
export interface WritableView extends View {
  put<R extends object>(table: Table<R>, row: R): void;
  delete<R extends object>(table: Table<R>, key: string): void;
}
