/**
 * The declared shape of a read model: which tables and indexes there are, checked once when a store
 * opens, and a fingerprint by which a stored read model of another shape or version is noticed.
 */
import { createHash } from 'node:crypto';
import type { Table } from './port.ts';
import type { ViewSchema } from './store.ts';

/** A set of tables that cannot be one read model. Thrown at start-up. */
export class ViewSchemaError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ViewSchemaError';
  }
}

/** Raised when the engine's own layout changes. */
const LAYOUT = 1;

/** The tables by name. Several projections may share a table: the same object, listed again. */
export function tablesByName(tables: readonly Table[]): ReadonlyMap<string, Table> {
  const byName = new Map<string, Table>();
  for (const table of tables) {
    const known = byName.get(table.name);
    if (known !== undefined && known !== table) {
      throw new ViewSchemaError(
        `two tables are named ${table.name}: share one declaration or rename one`,
      );
    }
    byName.set(table.name, table);
  }
  return byName;
}

/** Equal exactly where rows stored under one schema can be read under the other. */
export function fingerprint(schema: ViewSchema): string {
  const tables = [...tablesByName(schema.tables).values()]
    .map((table) => [table.name, ...Object.keys(table.indexes).sort()])
    .sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify({ layout: LAYOUT, version: schema.version, tables }))
    .digest('hex');
}

/** The error of reading or writing by an index that was not declared. */
export function unknownIndex(table: Table, index: string): ViewSchemaError {
  return new ViewSchemaError(
    `${table.name} has no index ${index}; it has ${Object.keys(table.indexes).join(', ') || 'none'}`,
  );
}

/** The error of using a table that no projection listed. */
export function unknownTable(name: string): ViewSchemaError {
  return new ViewSchemaError(
    `the table ${name} is not part of this read model: list it in the tables of a projection`,
  );
}
