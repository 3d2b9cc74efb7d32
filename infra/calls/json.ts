/**
 * JSON that loses nothing. Calls and replies are plain JSON values; what JSON would change or drop in
 * silence (a bigint, a Date, a Set, NaN, a hole) is a defect, found where it is written. Only -0 goes
 * as 0, which it equals.
 */

/** How deep a call may be nested: far more than any contract is. */
const MAX_DEPTH = 64;

/** A value that JSON cannot carry; the message says where it stands. */
export class UnwritableError extends Error {
  constructor(path: readonly string[], what: string) {
    super(
      `${path.length === 0 ? 'the value' : path.join('.')} is ${what}, which JSON cannot carry`,
    );
    this.name = 'UnwritableError';
  }
}

/** The text of a value. Throws an {@link UnwritableError} where it would not come back equal. */
export function jsonText(value: unknown): string {
  check(value, []);
  return JSON.stringify(value);
}

function check(value: unknown, path: readonly string[]): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw new UnwritableError(path, String(value));
      return;
    case 'object':
      if (value === null) return;
      checkObject(value, path);
      return;
    default:
      throw new UnwritableError(path, value === undefined ? 'undefined' : `a ${typeof value}`);
  }
}

function checkObject(value: object, path: readonly string[]): void {
  if (path.length > MAX_DEPTH) throw new UnwritableError(path, 'nested too deeply');
  if (Array.isArray(value)) {
    for (let n = 0; n < value.length; n++) check(value[n], [...path, String(n)]);
    return;
  }
  if (!isPlainObject(value)) throw new UnwritableError(path, `a ${value.constructor.name}`);
  for (const [name, field] of Object.entries(value)) {
    // A field that is undefined is one that is not there.
    if (field !== undefined) check(field, [...path, name]);
  }
}

/** By shape: objects may be of another realm. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The value of a text; undefined for what is no JSON, or nested too deeply to be a call. */
export function parsedJson(text: string): { readonly json: unknown } | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return isTooDeep(json) ? undefined : { json };
  } catch {
    return undefined;
  }
}

/** Without recursion: the text comes from outside. */
function isTooDeep(json: unknown): boolean {
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH + 2) return true;
    const below: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      for (const inner of Object.values(value)) {
        if (typeof inner === 'object' && inner !== null) below.push(inner);
      }
    }
    level = below;
  }
  return false;
}
