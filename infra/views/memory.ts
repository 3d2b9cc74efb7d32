/**
 * Views in memory: for as-of views, what-if and tests. Keeps the same promises as the engine on
 * disk, so that a query cannot tell them apart; nothing survives `close`.
 */
import type { Checkpoint } from '../event-store/port.ts';
import { type DumpedRow, dumpedRow, dumpOf } from './dump.ts';
import { MemoryTable } from './memory-table.ts';
import type { Table, View, WritableView } from './port.ts';
import { tablesByName, unknownTable } from './schema.ts';
import { checkAdvance, closedError, type ViewSchema, type ViewStore } from './store.ts';

/**
 * An empty view store in memory.
 *
 * @param schema absent: any table can be used and comes into being with its first row.
 */
export function memoryViews(schema?: Pick<ViewSchema, 'tables'>): ViewStore {
  return new MemoryViews(schema?.tables);
}

interface Change {
  readonly table: MemoryTable;
  readonly key: string;
  readonly before: object | undefined;
}

interface State {
  readonly tables: Map<string, MemoryTable>;
  checkpoint: Checkpoint | undefined;
  committed: Checkpoint | undefined;
  /** What has changed since the last commit, to go back to it. */
  changes: Change[];
}

class MemoryViews implements ViewStore {
  readonly view: View;
  readonly #writable: WritableView;
  readonly #declared: readonly Table[] | undefined;
  readonly #names: ReadonlyMap<string, Table> | undefined;
  #state: State | undefined = emptyState();

  constructor(tables: readonly Table[] | undefined) {
    this.#declared = tables;
    this.#names = tables === undefined ? undefined : tablesByName(tables);
    const reading: View = {
      // What was put under the table's type comes back: the store never changes a row.
      get: <R extends object>(table: Table<R>, key: string) =>
        this.#table(table).get(key) as R | undefined,
      range: (table, index, prefix, options) =>
        this.#table(table).range<never>(index, prefix, options),
    };
    this.view = reading;
    this.#writable = {
      ...reading,
      put: (table, row) => {
        this.#write(table, table.key(row), row);
      },
      delete: (table, key) => {
        this.#write(table, key, undefined);
      },
    };
  }

  apply(checkpoint: Checkpoint, fn: (view: WritableView) => void): void {
    const state = this.#open();
    checkAdvance(state.checkpoint, checkpoint);
    try {
      fn(this.#writable);
    } catch (error) {
      rollBack(state);
      throw error;
    }
    state.checkpoint = checkpoint;
  }

  checkpoint(): Checkpoint | undefined {
    return this.#open().checkpoint;
  }

  commit(): void {
    const state = this.#open();
    state.committed = state.checkpoint;
    state.changes = [];
  }

  reset(): void {
    this.#open();
    this.#state = emptyState();
  }

  dump() {
    return dumpOf(this.rows(), this.checkpoint());
  }

  *rows(): Generator<DumpedRow> {
    const { tables } = this.#open();
    for (const name of [...tables.keys()].sort()) {
      for (const [key, row] of tables.get(name)?.rows() ?? []) yield dumpedRow(name, key, row);
    }
  }

  successor(): ViewStore {
    this.#open();
    return new MemoryViews(this.#declared);
  }

  succeed(successor: ViewStore): void {
    this.#open();
    if (!(successor instanceof MemoryViews)) throw new TypeError('not a successor of this store');
    this.#state = successor.#open();
    successor.#state = undefined;
    this.commit();
  }

  close(): void {
    this.#state = undefined;
  }

  #open(): State {
    if (this.#state === undefined) throw closedError();
    return this.#state;
  }

  #table(table: Table): MemoryTable {
    const { tables } = this.#open();
    const known = tables.get(table.name);
    if (known !== undefined) return known;
    if (this.#names !== undefined && !this.#names.has(table.name)) throw unknownTable(table.name);
    const made = new MemoryTable(table);
    tables.set(table.name, made);
    return made;
  }

  #write(table: Table, key: string, row: object | undefined): void {
    const target = this.#table(table);
    const before = target.set(key, row);
    this.#open().changes.push({ table: target, key, before });
  }
}

function emptyState(): State {
  return { tables: new Map(), checkpoint: undefined, committed: undefined, changes: [] };
}

function rollBack(state: State): void {
  for (const { table, key, before } of state.changes.reverse()) table.set(key, before);
  state.changes = [];
  state.checkpoint = state.committed;
}
