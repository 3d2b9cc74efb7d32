/**
 * Cursors: where a row stands in an index, as opaque text. Hexadecimal, because it is the one common
 * encoding that keeps the order of what it encodes; tagged, so that another list's is refused.
 */
import type { IndexKey, RangeOptions, Table } from './port.ts';
import { beyondPrefix, sortText } from './keys.ts';

/** A cursor that no page of this range can have given out. */
export class BadCursorError extends Error {
  /** The option it was given as. */
  readonly option: 'after' | 'before';
  readonly cursor: string;

  constructor(option: 'after' | 'before', cursor: string, why: string) {
    const shown = cursor.length > 80 ? `${cursor.slice(0, 80)}…` : cursor;
    super(
      `${option}: ${JSON.stringify(shown)} ${why}. Use a cursor from a page of this list, with the same filter, or leave it out`,
    );
    this.name = 'BadCursorError';
    this.option = option;
    this.cursor = cursor;
  }
}

/** The part of an index that a range covers: `from <= text < to`, in sort texts. */
export interface Bounds {
  readonly from: string;
  /** `from` itself is left out. */
  readonly fromExclusive: boolean;
  /** Undefined: to the end. */
  readonly to: string | undefined;
}

const TAG_WIDTH = 4;

/** The tag of a list: the same in every process and release. */
export function cursorTag(table: string, index: string): string {
  // FNV-1a folded to 16 bits: only mistakes have to be told apart, nobody is kept out by it.
  let hash = 0x811c9dc5;
  for (const character of `${table}/${index}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return (((hash >>> 16) ^ hash) & 0xffff).toString(16).padStart(TAG_WIDTH, '0');
}

export function cursorOf(tag: string, sortText: string): string {
  return tag + Buffer.from(sortText).toString('hex');
}

/**
 * The cursor of a place in a range, whether or not a row stands there: for bounds that a query knows
 * by primary key.
 */
export function cursorAt<I extends string>(
  table: Table<never, I>,
  index: I,
  prefix: IndexKey,
  key: string,
): string {
  return cursorOf(cursorTag(table.name, index), sortText(prefix, key));
}

/**
 * What a range covers.
 *
 * @throws BadCursorError for a cursor that does not lie in it; RangeError for a limit that is none.
 */
export function boundsOf(tag: string, prefix: string, options: RangeOptions): Bounds {
  if (!Number.isSafeInteger(options.limit) || options.limit < 0) {
    throw new RangeError(`limit ${options.limit} is not a whole number from 0`);
  }
  const after = positionOf('after', options.after, tag, prefix);
  const before = positionOf('before', options.before, tag, prefix);
  return {
    from: after ?? prefix,
    fromExclusive: after !== undefined,
    to: before ?? beyondPrefix(prefix),
  };
}

function positionOf(
  option: 'after' | 'before',
  cursor: string | undefined,
  tag: string,
  prefix: string,
): string | undefined {
  if (cursor === undefined) return undefined;
  if (!/^(?:[0-9a-f]{2})+$/.test(cursor)) throw new BadCursorError(option, cursor, 'is no cursor');
  if (!cursor.startsWith(tag)) {
    throw new BadCursorError(option, cursor, 'is a cursor of another list');
  }
  const bytes = Buffer.from(cursor.slice(TAG_WIDTH), 'hex');
  const text = bytes.toString();
  if (!bytes.equals(Buffer.from(text))) throw new BadCursorError(option, cursor, 'is no cursor');
  if (!text.startsWith(prefix)) {
    throw new BadCursorError(option, cursor, 'lies outside what is listed');
  }
  return text;
}
