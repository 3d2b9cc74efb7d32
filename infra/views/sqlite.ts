/**
 * Views on SQLite: one file a service, owned by one process. Writes gather in memory and go to the
 * file in long transactions, rows and checkpoint together; what a crash loses is replayed.
 */
import type { Checkpoint } from '../event-store/port.ts';
import { type DumpedRow, dumpedRow, dumpOf } from './dump.ts';
import type { Table, View, WritableView } from './port.ts';
import { fingerprint, tablesByName, unknownTable } from './schema.ts';
import { openViewFiles, type ViewFile, type ViewFiles } from './sqlite-file.ts';
import type { SqliteTable } from './sqlite-table.ts';
import { checkAdvance, closedError, type ViewSchema, type ViewStore } from './store.ts';

export interface SqliteViewsOptions extends ViewSchema {
  /** Path and start of the names of its files: `<file>.<generation>`, `<file>.lock`. */
  readonly file: string;
  /** Rows kept in memory, by the bytes of their text, over all tables. Default 1 MiB. */
  readonly memoryBytes?: number;
}

/** A few thousand rows: enough that a row changed with every step of an operation is written once. */
const MEMORY_BYTES = 1024 * 1024;

/**
 * Opens a read model's file, or starts an empty one: where there is none, where it was made by
 * another schema or version, and where it is damaged. Then `checkpoint()` is undefined.
 *
 * @throws Error where the file cannot be opened, or is open in another process.
 */
export function openSqliteViews(options: SqliteViewsOptions): ViewStore {
  const { file, memoryBytes = MEMORY_BYTES } = options;
  const tables = tablesByName(options.tables);
  const files = openViewFiles(file, fingerprint(options), tables, memoryBytes);
  return new SqliteViews(files, files.present(), 'present');
}

class SqliteViews implements ViewStore {
  readonly view: View;
  readonly #writable: WritableView;
  readonly #files: ViewFiles;
  readonly #role: 'present' | 'successor';
  #file: ViewFile | undefined;
  #checkpoint: Checkpoint | undefined;
  #committed: Checkpoint | undefined;

  constructor(files: ViewFiles, file: ViewFile, role: 'present' | 'successor') {
    this.#files = files;
    this.#role = role;
    this.#attach(file);
    const reading: View = {
      // What was put under the table's type comes back: the store never changes a row.
      get: <R extends object>(table: Table<R>, key: string) =>
        this.#table(table.name).get(key) as R | undefined,
      range: (table, index, prefix, range) => {
        const target = this.#table(table.name);
        this.#flush(target);
        return target.range<never>(index, prefix, range);
      },
    };
    this.view = reading;
    this.#writable = {
      ...reading,
      put: (table, row) => {
        this.#table(table.name).put(table.key(row), row);
      },
      delete: (table, key) => {
        this.#table(table.name).delete(key);
      },
    };
  }

  apply(checkpoint: Checkpoint, fn: (view: WritableView) => void): void {
    const file = this.#open();
    checkAdvance(this.#checkpoint, checkpoint);
    try {
      fn(this.#writable);
      this.#checkpoint = checkpoint;
      file.spill();
    } catch (error) {
      this.#rollBack(file);
      throw error;
    }
  }

  checkpoint(): Checkpoint | undefined {
    this.#open();
    return this.#checkpoint;
  }

  commit(): void {
    const file = this.#open();
    if (this.#checkpoint === undefined || this.#checkpoint === this.#committed) return;
    try {
      this.#flush(...file.tables.values());
      file.commit(this.#checkpoint);
    } catch (error) {
      this.#rollBack(file);
      throw error;
    }
    this.#committed = this.#checkpoint;
  }

  reset(): void {
    this.#open().remove();
    const file = this.#files.next();
    if (this.#role === 'present') file.makeReady(undefined);
    this.#attach(file);
  }

  dump() {
    return dumpOf(this.rows(), this.checkpoint());
  }

  *rows(): Generator<DumpedRow> {
    const file = this.#open();
    for (const name of [...file.tables.keys()].sort()) {
      const table = this.#table(name);
      this.#flush(table);
      for (const row of table.rows()) yield dumpedRow(name, table.table.key(row), row);
    }
  }

  successor(): ViewStore {
    this.#open();
    return new SqliteViews(this.#files, this.#files.next(), 'successor');
  }

  succeed(successor: ViewStore): void {
    const past = this.#open();
    if (!(successor instanceof SqliteViews) || successor.#files !== this.#files) {
      throw new TypeError('not a successor of this store');
    }
    const file = successor.#open();
    const checkpoint = successor.#checkpoint;
    successor.#flush(...file.tables.values());
    file.makeReady(checkpoint);
    successor.#file = undefined;
    this.#file = file;
    this.#checkpoint = checkpoint;
    this.#committed = checkpoint;
    past.remove();
  }

  close(): void {
    if (this.#file === undefined) return;
    if (this.#role === 'present') {
      this.#file.close();
      this.#files.unlock();
    } else {
      this.#file.remove();
    }
    this.#file = undefined;
  }

  #open(): ViewFile {
    if (this.#file === undefined) throw closedError();
    return this.#file;
  }

  #attach(file: ViewFile): void {
    this.#file = file;
    this.#checkpoint = file.checkpoint;
    this.#committed = file.checkpoint;
  }

  #table(name: string): SqliteTable {
    const table = this.#open().tables.get(name);
    if (table === undefined) throw unknownTable(name);
    return table;
  }

  #flush(...tables: readonly SqliteTable[]): void {
    for (const table of tables) {
      if (!table.isDirty) continue;
      this.#open().begin();
      table.flush();
    }
  }

  #rollBack(file: ViewFile): void {
    file.rollBack();
    for (const table of file.tables.values()) table.forget();
    this.#checkpoint = this.#committed;
  }
}
