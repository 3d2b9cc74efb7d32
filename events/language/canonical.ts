/**
 * Canonical JSON (RFC 8785): equal values have equal bytes, so that bodies can be hashed. Ours and
 * not the `canonicalize` package, which took a twelfth of the time of an order; the package is the
 * oracle in the test beside this file.
 */

/** What JSON writes as it is, between quotes. Almost every text is made of it alone. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A value as canonical JSON text. Throws a TypeError for what JSON cannot hold. */
export function canonicalText(value: unknown): string {
  const text = write(value);
  if (text === undefined) throw new TypeError('the value cannot be written as JSON');
  return text;
}

/** A value as canonical JSON bytes. */
export function canonicalBytes(value: unknown): Uint8Array {
  return Buffer.from(canonicalText(value), 'utf8');
}

function write(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return text(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be written as JSON`);
      // ECMAScript's shortest form is what the RFC asks for; -0 is 0.
      return String(value === 0 ? 0 : value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? list(value) : object(value);
    case 'undefined':
    case 'function':
    case 'symbol':
      return undefined;
    case 'bigint':
      throw new TypeError('a bigint cannot be written as JSON: make it a decimal string');
  }
}

function text(value: string): string {
  if (PLAIN.test(value)) return `"${value}"`;
  // Unpaired surrogates have no UTF-8, so two different strings would get equal bytes.
  if (!value.isWellFormed()) throw new TypeError('a string with an unpaired surrogate');
  return JSON.stringify(value);
}

function list(values: readonly unknown[]): string {
  let out = '';
  for (const value of values) out += `${out === '' ? '' : ','}${write(value) ?? 'null'}`;
  return `[${out}]`;
}

function object(value: object): string {
  let out = '';
  for (const key of sorted(Object.keys(value))) {
    const written = write((value as Readonly<Record<string, unknown>>)[key]);
    if (written === undefined) continue;
    const { first, next } = nameOf(key);
    out += (out === '' ? first : next) + written;
  }
  return out === '' ? '{}' : `${out}}`;
}

/** A field's name as it stands in an object. */
interface Name {
  readonly first: string;
  readonly next: string;
}

/** Names of fields are few and come again; those of records may be many and do not. */
const names = new Map<string, Name>();
const MOST_NAMES = 4096;

function nameOf(key: string): Name {
  const known = names.get(key);
  if (known !== undefined) return known;
  const quoted = text(key);
  const name = { first: `{${quoted}:`, next: `,${quoted}:` };
  if (names.size < MOST_NAMES) names.set(key, name);
  return name;
}

/** Objects of up to so many fields are sorted by insertion: `sort` allocates more than they are. */
const SMALL = 24;

/** By UTF-16 code units, as the RFC asks and as strings compare. Changes and answers the list. */
function sorted(keys: string[]): readonly string[] {
  if (keys.length > SMALL) return keys.sort();
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] ?? '';
    let at = i;
    for (let before = keys[at - 1]; before !== undefined && before > key; before = keys[at - 1]) {
      keys[at--] = before;
    }
    keys[at] = key;
  }
  return keys;
}
