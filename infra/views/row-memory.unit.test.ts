import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KnownRows, RowMemory } from './row-memory.ts';

const step = fc.record({
  table: fc.nat(1),
  k: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  do: fc.constantFrom('get', 'put', 'put', 'delete', 'spill', 'flush'),
});

/** A memory over maps that stand for two SQLite tables, used as their class uses it. */
class Rig {
  readonly stored = [new Map<string, object>(), new Map<string, object>()];
  written = 0;
  readonly #memory: RowMemory;
  readonly #tables: readonly KnownRows[];

  constructor(bytes: number) {
    this.#memory = new RowMemory(bytes, () => {
      this.spill(1);
      for (const table of this.#tables) table.age();
    });
    this.#tables = this.stored.map(
      (rows) =>
        new KnownRows(this.#memory, (known) => {
          if (known.row === null) rows.delete(known.k);
          else rows.set(known.k, known.row);
          known.stored = known.row;
          this.written += 1;
        }),
    );
  }

  get(table: number, k: string): object | null {
    this.#memory.turn();
    const known = this.#tables[table]?.find(k);
    if (known !== undefined) return known.row;
    const row = this.stored[table]?.get(k) ?? null;
    this.#tables[table]?.add(k, row, row, 50);
    return row;
  }

  put(table: number, k: string, row: object | null): void {
    this.#memory.turn();
    const rows = this.#tables[table];
    const known = rows?.find(k) ?? rows?.add(k, row, undefined, 50);
    if (known === undefined) throw new Error(`no table ${table}`);
    known.row = row;
    rows?.wait(known);
  }

  spill(passed = this.#memory.passed): void {
    for (const table of this.#tables) table.writeAged(passed);
  }

  flush(): void {
    for (const table of this.#tables) table.writeAll();
    expect(this.#tables.some((table) => table.areWaiting)).toBe(false);
  }
}

describe('the rows in memory', () => {
  it('what was put is read, whatever is forgotten and written in between', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom(600, 1200, 3000), run),
    );
    function run(steps: readonly { table: number; k: string; do: string }[], bytes: number): void {
      const rig = new Rig(bytes);
      const model = [new Map<string, object>(), new Map<string, object>()];
      for (const { table, k, do: what } of steps) {
        if (what === 'spill') rig.spill();
        else if (what === 'flush') {
          rig.flush();
          expect(rig.stored).toEqual(model);
        } else if (what === 'get') {
          expect(rig.get(table, k)).toBe(model[table]?.get(k) ?? null);
        } else {
          const row = what === 'put' ? {} : null;
          rig.put(table, k, row);
          if (row === null) model[table]?.delete(k);
          else model[table]?.set(k, row);
        }
      }
      rig.flush();
      expect(rig.stored).toEqual(model);
    }
  });

  it('a row changed again and again is written once a span, and what rests is written by itself', () => {
    const rig = new Rig(2 * 250 * 100);
    for (let i = 0; i < 99; i++) rig.put(0, 'same', { i });
    expect(rig.written).toBe(0);
    // A hundred rows are a span: after two, nothing of the first is left to write.
    for (let i = 0; i < 200; i++) {
      rig.put(1, `other ${i}`, { i });
      rig.spill();
    }
    expect(rig.stored[0]?.get('same')).toEqual({ i: 98 });
    expect(rig.written).toBeGreaterThanOrEqual(99);
    expect(rig.written).toBeLessThanOrEqual(101);
  });

  it('no spill writes much more than was put since the last one', () => {
    const rig = new Rig(2 * 250 * 100);
    let most = 0;
    for (let i = 0; i < 1000; i++) {
      const before = rig.written;
      rig.put(i % 2, `row ${i}`, { i });
      rig.spill();
      most = Math.max(most, rig.written - before);
    }
    expect(rig.written).toBeGreaterThan(700);
    expect(most).toBeLessThanOrEqual(4);
  });
});
