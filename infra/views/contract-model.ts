/** Random histories of writes, reads, commits and crashes, compared with a model that only sorts. */
import { canonicalText } from '@bivouac/events/language';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import { at, note, type Note, notes } from './contract-samples.ts';
import type { IndexKey } from './port.ts';
import type { ViewStore } from './store.ts';

type Step =
  | { readonly do: 'put'; readonly row: Note }
  | { readonly do: 'delete'; readonly key: string }
  | {
      readonly do: 'range';
      readonly index: 'byTopic' | 'byDue';
      readonly parts: readonly string[];
      readonly limit: number;
      readonly reverse: boolean;
      readonly after: number | null;
      readonly before: number | null;
    }
  | { readonly do: 'commit' | 'fail' | 'crash' | 'reset' | 'succeed' };

// Few enough to meet again, and what breaks naive keys: parts that start others, separators, NUL,
// and characters that UTF-16 and UTF-8 sort differently.
const text = fc.constantFrom(
  'a',
  'ab',
  'b',
  'a\u0001',
  'a\u0000b',
  '\u0002',
  'é',
  '\ue000',
  '\uffff',
  '😀',
  '\u{10ffff}',
);
const row = fc
  .record({ id: text, topic: text, due: fc.option(text), size: fc.nat(9) })
  .map(({ id, ...fields }) => note(id, fields));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('put' as const), row }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key: text }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('range' as const),
      index: fc.constantFrom('byTopic' as const, 'byDue' as const),
      parts: fc.array(text, { maxLength: 2 }),
      limit: fc.nat(6),
      reverse: fc.boolean(),
      after: fc.option(fc.nat(4)),
      before: fc.option(fc.nat(4)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('commit', 'commit', 'fail', 'crash', 'reset', 'succeed'),
    }),
  },
);

export function modelLaws(
  open: () => ViewStore,
  reopen: ((store: ViewStore) => ViewStore) | undefined,
): void {
  it('any history of writes, commits, failures and crashes reads as the model does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const run = new Run(open());
        try {
          for (const s of steps) run.take(s, reopen);
          run.compare();
        } finally {
          run.store.close();
        }
      }),
      { numRuns: reopen === undefined ? 300 : 60 },
    );
  });
}

class Run {
  store: ViewStore;
  #rows = new Map<string, Note>();
  #committed = new Map<string, Note>();
  #n = 0;

  constructor(store: ViewStore) {
    this.store = store;
  }

  take(step: Step, reopen: ((store: ViewStore) => ViewStore) | undefined): void {
    switch (step.do) {
      case 'put':
        this.#rows.set(step.row.id, step.row);
        this.store.apply(at(++this.#n), (w) => {
          w.put(notes, step.row);
        });
        break;
      case 'delete':
        this.#rows.delete(step.key);
        this.store.apply(at(++this.#n), (w) => {
          w.delete(notes, step.key);
        });
        break;
      case 'range':
        this.#range(step);
        break;
      case 'commit':
        this.store.commit();
        this.#committed = new Map(this.#rows);
        break;
      case 'fail':
        expect(() => {
          this.store.apply(at(++this.#n), (w) => {
            w.put(notes, note('a', { topic: 'half' }));
            throw new Error('failed');
          });
        }).toThrow('failed');
        this.#rows = new Map(this.#committed);
        break;
      case 'crash':
        if (reopen === undefined) break;
        this.store = reopen(this.store);
        this.#rows = new Map(this.#committed);
        break;
      case 'reset':
        this.store.reset();
        this.#rows = new Map();
        this.#committed = new Map();
        break;
      case 'succeed':
        this.#succeed();
        break;
    }
  }

  compare(): void {
    for (const key of this.#rows.keys()) {
      expect(this.store.view.get(notes, key)).toEqual(this.#rows.get(key));
    }
    const sorted = [...this.#rows.values()].sort((a, b) => compareBytes(a.id, b.id));
    expect([...this.store.rows()]).toEqual(
      sorted.map((row) => ({ table: 'notes', key: row.id, json: canonicalText(row) })),
    );
  }

  #succeed(): void {
    const next = this.store.successor();
    next.apply(at(++this.#n), (w) => {
      for (const row of this.#rows.values()) w.put(notes, { ...row, size: row.size + 1 });
    });
    for (const [key, row] of this.#rows) this.#rows.set(key, { ...row, size: row.size + 1 });
    this.store.succeed(next);
    this.#committed = new Map(this.#rows);
  }

  #range({ index, parts, limit, reverse, after, before }: Step & { do: 'range' }): void {
    const prefix = index === 'byTopic' ? parts.slice(0, 1) : parts;
    const all = [...this.#rows.values()]
      .map((row) => ({ row, key: [...(notes.indexes[index](row) ?? []), row.id] }))
      .filter(({ row }) => startsWith(notes.indexes[index](row), prefix))
      .sort((a, b) => compareKeys(a.key, b.key))
      .map(({ row }) => row);
    const items = this.store.view.range(notes, index, prefix, { limit: 99 });
    expect(items.map((item) => item.row)).toEqual(all);
    const found = this.store.view.range(notes, index, prefix, {
      limit,
      reverse,
      after: after === null ? undefined : items[after]?.cursor,
      before: before === null ? undefined : items[before]?.cursor,
    });
    const start = after === null || after >= all.length ? 0 : after + 1;
    const stop = before === null || before >= all.length ? all.length : before;
    const between = all.slice(start, Math.max(start, stop));
    if (reverse) between.reverse();
    expect(found.map((item) => item.row)).toEqual(between.slice(0, limit));
  }
}

function startsWith(key: IndexKey | undefined, prefix: IndexKey): boolean {
  return key !== undefined && prefix.every((part, i) => key[i] === part);
}

function compareKeys(a: IndexKey, b: IndexKey): number {
  for (const [i, part] of a.entries()) {
    const order = compareBytes(part, b[i] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
