/**
 * Rows are values: checked to be plain JSON and frozen when they are put, so that the one object can
 * be shared by the write buffer, the cache and every reader, and nobody changes it behind the table.
 */
import type { Table } from './port.ts';

/** A row that cannot be kept as JSON. A defect of the projection that put it. */
export class RowError extends Error {
  constructor(table: string, key: string, why: string) {
    super(`the row ${JSON.stringify(key)} of ${table} ${why}: rows are plain JSON`);
    this.name = 'RowError';
  }
}

/** Checks and freezes a row about to be put; what JSON leaves out or has no sign for goes at once. */
export function sealRow(table: Table, key: string, row: object): void {
  if (typeof key !== 'string' || key === '') {
    throw new RowError(table.name, String(key), 'has no key that is a text');
  }
  const why = freeze(row, '');
  if (why !== undefined) throw new RowError(table.name, key, why);
}

/** A row as its text was written. */
export function parseRow(text: string): object {
  const row = JSON.parse(text) as object;
  freeze(row, '');
  return row;
}

/** Answers what is wrong, or undefined. What is frozen was checked when it was frozen. */
function freeze(value: object, path: string): string | undefined {
  if (Object.isFrozen(value)) return undefined;
  if (!Array.isArray(value)) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null && !isForeignPlain(prototype)) {
      return `holds an object that is not plain at ${path || 'its root'}`;
    }
  }
  for (const name in value) {
    const child: unknown = (value as Record<string, unknown>)[name];
    switch (typeof child) {
      case 'string':
      case 'boolean':
        break;
      case 'number':
        if (!Number.isFinite(child)) return `holds ${child} at ${path}${name}`;
        // JSON has one zero; a row must not change when it comes back from its text.
        if (Object.is(child, -0)) Reflect.set(value, name, 0);
        break;
      case 'undefined':
        if (Array.isArray(value)) Reflect.set(value, name, null);
        else Reflect.deleteProperty(value, name);
        break;
      case 'object': {
        if (child === null) break;
        const why = freeze(child, `${path}${name}.`);
        if (why !== undefined) return why;
        break;
      }
      default:
        return `holds a ${typeof child} at ${path}${name}`;
    }
  }
  Object.freeze(value);
  return undefined;
}

/** An object literal of another realm (a test runner's sandbox) is as plain as ours. */
function isForeignPlain(prototype: unknown): boolean {
  return (
    typeof prototype === 'object' &&
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'hasOwnProperty')
  );
}
