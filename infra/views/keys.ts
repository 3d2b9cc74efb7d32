/**
 * Keys as text that sorts: a primary key or the parts of an index key become one string whose order
 * in JavaScript, in SQLite and in a cursor is the same, so that both engines page alike.
 */
import type { IndexKey } from './port.ts';

/** Ends each part. Sorts below every encoded character, so that `a` never matches `ab`. */
const END = '\u0001';
/** Just above {@link END}: what has a prefix sorts below the prefix ended by this instead. */
const BEYOND = '\u0002';

// Characters that could break the order or get lost: NUL (C strings) and the two marks; surrogates,
// which UTF-16 sorts below U+E000 and UTF-8 above, and which have no UTF-8 form when lone.
const SPECIAL = /[\u0000-\u0002\ud800-\udfff\uffff]/;
const SPECIALS = /[\u0000-\u0002\uffff\u{10000}-\u{10ffff}]|[\ud800-\udfff]/gu;

/** One part, or a primary key, in its sortable form. Most texts are their own. */
export function partText(part: string): string {
  return SPECIAL.test(part) ? part.replace(SPECIALS, escaped) : part;
}

/** The parts of an index key, each ended; so the text of a prefix is a prefix of the text. */
export function partsText(parts: IndexKey): string {
  let text = '';
  for (const part of parts) text += partText(part) + END;
  return text;
}

/** Where a row stands in an index: after its parts comes its primary key, which tells rows apart. */
export function sortText(parts: IndexKey, key: string): string {
  return partsText(parts) + partText(key);
}

/** The primary key's text at the end of a sort text: encoded, it holds no mark. */
export function lastPart(text: string): string {
  return text.slice(text.lastIndexOf(END) + 1);
}

/** The first text beyond all that start with the prefix; undefined where nothing lies beyond. */
export function beyondPrefix(prefix: string): string | undefined {
  return prefix === '' ? undefined : prefix.slice(0, -1) + BEYOND;
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  // Never END itself: it would look like the end of the part.
  if (code <= 2) return BEYOND + String.fromCharCode(code + 3);
  return '\uffff' + code.toString(16).padStart(6, '0');
}
