export * from './port.ts';
export { BadCursorError, cursorAt } from './cursor.ts';
export type { Dump, DumpedRow, TableDump } from './dump.ts';
export { memoryViews } from './memory.ts';
export * from './page.ts';
export { RowError } from './rows.ts';
export { ViewSchemaError } from './schema.ts';
export { openSqliteViews, type SqliteViewsOptions } from './sqlite.ts';
export type { ViewSchema, ViewStore } from './store.ts';
