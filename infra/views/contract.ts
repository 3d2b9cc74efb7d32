/** The suite every view engine passes: what queries and projections rely on, engine by engine. */
import { afterEach, describe, expect, it } from '@jest/globals';

import { BadCursorError, cursorAt } from './cursor.ts';
import { modelLaws } from './contract-model.ts';
import { at, notes, note, put, other } from './contract-samples.ts';
import { RowError } from './rows.ts';
import type { ViewSchema, ViewStore } from './store.ts';

export interface ViewEngine {
  /** An empty store. */
  open(schema: ViewSchema): ViewStore;
  /** The same store after a crash, for engines that survive one. */
  readonly reopen?: (store: ViewStore, schema: ViewSchema) => ViewStore;
}

const schema: ViewSchema = { tables: [notes, other], version: '1' };

/** Declares the suite for an engine. */
export function viewStoreContract(name: string, engine: ViewEngine): void {
  describe(`views on ${name}`, () => {
    const opened: ViewStore[] = [];
    const open = (): ViewStore => {
      const store = engine.open(schema);
      opened.push(store);
      return store;
    };
    afterEach(() => {
      for (const store of opened.splice(0)) store.close();
    });

    it('a row put is the row got, by readers too, and is gone once deleted', () => {
      const store = open();
      put(store, note('n1', { topic: 'a', size: 3 }));
      expect(store.view.get(notes, 'n1')).toEqual(note('n1', { topic: 'a', size: 3 }));
      store.apply(at(2), (w) => {
        w.delete(notes, 'n1');
        expect(w.get(notes, 'n1')).toBeUndefined();
      });
      expect(store.view.get(notes, 'n1')).toBeUndefined();
      expect(store.view.range(notes, 'byTopic', [], { limit: 10 })).toEqual([]);
    });

    it('a range matches whole parts, and lists by parts, then by key', () => {
      const store = open();
      put(
        store,
        note('3', { topic: 'a' }),
        note('1', { topic: 'ab' }),
        note('2', { topic: 'a' }),
        note('4', { topic: '' }),
        note('5', { topic: 'a\u0001b' }),
      );
      const keys = (prefix: string[], reverse = false): string[] =>
        store.view.range(notes, 'byTopic', prefix, { limit: 10, reverse }).map((i) => i.row.id);
      expect(keys(['a'])).toEqual(['2', '3']);
      expect(keys(['a'], true)).toEqual(['3', '2']);
      expect(keys(['ab'])).toEqual(['1']);
      expect(keys([''])).toEqual(['4']);
      expect(keys(['b'])).toEqual([]);
      expect(keys([])).toEqual(['4', '2', '3', '5', '1']);
    });

    it('a row moves within its indexes with its row, and leaves those it is no longer in', () => {
      const store = open();
      put(store, note('1', { topic: 'a', due: '5' }), note('2', { topic: 'a', due: '1' }));
      store.commit();
      store.apply(at(9), (w) => {
        w.put(notes, note('1', { topic: 'b', due: null }));
      });
      const ids = (index: 'byTopic' | 'byDue', prefix: string[]): string[] =>
        store.view.range(notes, index, prefix, { limit: 9 }).map((i) => i.row.id);
      expect(ids('byTopic', ['a'])).toEqual(['2']);
      expect(ids('byTopic', ['b'])).toEqual(['1']);
      expect(ids('byDue', [])).toEqual(['2']);
    });

    it('pages meet without gap or overlap, both ways, also while rows come and go', () => {
      const store = open();
      put(store, ...Array.from({ length: 25 }, (_, i) => note(`n${String(i).padStart(2, '0')}`)));
      const page = (after?: string, before?: string, reverse = false) =>
        store.view.range(notes, 'byTopic', ['topic'], { after, before, limit: 10, reverse });
      const first = page();
      const second = page(first.at(-1)?.cursor);
      const third = page(second.at(-1)?.cursor);
      expect([...first, ...second, ...third].map((i) => i.row.id)).toHaveLength(25);
      expect(page(third.at(-1)?.cursor)).toEqual([]);
      const back = page(undefined, third[0]?.cursor, true);
      expect(back.map((i) => i.row.id)).toEqual(second.map((i) => i.row.id).reverse());
      // The cursor is a place, not a row: it holds when its row is gone.
      store.apply(at(99), (w) => {
        w.delete(notes, first.at(-1)?.row.id ?? '');
      });
      expect(page(first.at(-1)?.cursor).map((i) => i.row.id)).toEqual(second.map((i) => i.row.id));
      expect(page(first[0]?.cursor, first[3]?.cursor).map((i) => i.row.id)).toEqual(['n01', 'n02']);
      expect(store.view.range(notes, 'byTopic', [], { limit: 0 })).toEqual([]);
    });

    it('the cursor of a place is known without a row there', () => {
      const store = open();
      put(store, ...['n1', 'n3', 'n5'].map((id) => note(id)));
      const after = (key: string): string[] => {
        const cursor = cursorAt(notes, 'byTopic', ['topic'], key);
        const range = store.view.range(notes, 'byTopic', [], { after: cursor, limit: 9 });
        return range.map((item) => item.row.id);
      };
      expect(after('')).toEqual(['n1', 'n3', 'n5']);
      expect(after('n2')).toEqual(['n3', 'n5']);
      expect(after('n3')).toEqual(['n5']);
    });

    it('cursors sort as the range does', () => {
      const store = open();
      const topics = ['', 'a', 'a ', 'ab', 'é', '\uffff', '😀', '\u0000', 'A'];
      put(store, ...topics.map((topic, i) => note(`k${i}`, { topic })));
      const cursors = store.view.range(notes, 'byTopic', [], { limit: 99 }).map((i) => i.cursor);
      expect([...cursors].sort()).toEqual(cursors);
      expect(new Set(cursors).size).toBe(topics.length);
    });

    it('a cursor that is none, or is of another list or filter, is named', () => {
      const store = open();
      put(store, note('1', { topic: 'a', due: '1' }), note('2', { topic: 'b', due: '2' }));
      const one = store.view.range(notes, 'byTopic', ['a'], { limit: 1 })[0]?.cursor ?? '';
      const bad = (index: 'byTopic' | 'byDue', prefix: string[], range: object): BadCursorError => {
        try {
          store.view.range(notes, index, prefix, { limit: 1, ...range });
        } catch (error) {
          if (error instanceof BadCursorError) return error;
        }
        throw new Error('expected a BadCursorError');
      };
      expect(bad('byTopic', ['a'], { after: 'nonsense' }).message).toContain('"nonsense"');
      expect(bad('byTopic', ['a'], { before: '' }).option).toBe('before');
      expect(bad('byTopic', ['a'], { after: `${one}ff` }).cursor).toBe(`${one}ff`);
      expect(bad('byTopic', ['b'], { after: one }).message).toContain('outside');
      expect(bad('byDue', [], { after: one }).message).toContain('another list');
      expect(() => store.view.range(notes, 'byTopic', [], { limit: -1 })).toThrow(RangeError);
    });

    it('rows are values: nobody changes one behind the table', () => {
      const store = open();
      put(store, note('1', { topic: 'a', tags: ['x'] }));
      const row = store.view.get(notes, '1');
      expect(() => {
        if (row) row.topic = 'b';
      }).toThrow(TypeError);
      expect(() => row?.tags.push('y')).toThrow(TypeError);
    });

    it('what is not plain JSON is refused when it is put, naming table, row and field', () => {
      const store = open();
      const refused = (row: object): string => {
        try {
          put(store, { ...note('1'), ...row });
        } catch (error) {
          if (error instanceof RowError) return error.message;
        }
        throw new Error('expected a RowError');
      };
      expect(refused({ size: Number.NaN })).toMatch(/"1" of notes .*NaN at size/);
      expect(refused({ tags: [1n] })).toContain('bigint at tags.0');
      expect(refused({ extra: { when: new globalThis.Date(0) } })).toContain('extra.when');
      expect(refused({ id: '' })).toContain('key');
      expect(store.checkpoint()).toBeUndefined();
    });

    it('a row reads the same before and after it was written as JSON', () => {
      const store = open();
      const row = { ...note('1', { size: -0 }), extra: { none: undefined, list: [undefined, -0] } };
      put(store, row);
      const before = store.view.get(notes, '1');
      expect(before).toStrictEqual({ ...note('1'), extra: { list: [null, 0] } });
      put(store, ...Array.from({ length: 20 }, (_, i) => note(`other ${i}`)));
      store.commit();
      expect(store.view.get(notes, '1')).toStrictEqual(before);
    });

    it('an apply that throws leaves rows and checkpoint of the last commit', () => {
      const store = open();
      put(store, note('1', { topic: 'a' }));
      store.commit();
      const failing = (): void => {
        store.apply(at(50), (w) => {
          w.put(notes, note('1', { topic: 'changed' }));
          w.put(notes, note('2'));
          w.delete(notes, '1');
          w.range(notes, 'byTopic', [], { limit: 1 });
          throw new Error('the projection failed');
        });
      };
      expect(failing).toThrow('the projection failed');
      expect(store.checkpoint()).toEqual(at(1));
      expect([...store.rows()]).toHaveLength(1);
      expect(store.view.get(notes, '1')?.topic).toBe('a');
      expect(store.view.range(notes, 'byTopic', ['a'], { limit: 5 })).toHaveLength(1);
    });

    it('an event never applies twice', () => {
      const store = open();
      put(store, note('1'));
      expect(() => {
        store.apply(at(1), () => undefined);
      }).toThrow('once, in order');
    });

    it('a reset drops every row and the checkpoint', () => {
      const store = open();
      put(store, note('1'));
      store.commit();
      store.reset();
      expect(store.checkpoint()).toBeUndefined();
      expect(store.view.get(notes, '1')).toBeUndefined();
      expect(store.dump()).toMatchObject({ tables: {} });
      put(store, note('2'));
      expect([...store.rows()].map((r) => r.key)).toEqual(['2']);
    });

    it('the dump depends on the rows alone, not on how they came about', () => {
      const one = open();
      put(one, note('1', { topic: 'old' }), note('3'), note('2'));
      one.commit();
      one.apply(at(10), (w) => {
        w.put(notes, note('1'));
        w.put(other, { id: 'x' });
        w.delete(notes, '3');
      });
      const two = open();
      two.apply(at(7), (w) => {
        w.put(other, { id: 'x' });
      });
      put(two, note('2'), note('1'));
      expect(one.dump().tables).toEqual(two.dump().tables);
      expect(one.dump().sha256).toBe(two.dump().sha256);
      expect(one.dump().tables['notes']?.rows).toBe(2);
      put(two, note('1', { topic: 'else' }));
      expect(one.dump().sha256).not.toBe(two.dump().sha256);
    });

    it('a successor is filled apart, then takes over at once; views handed out follow', () => {
      const store = open();
      put(store, note('1'));
      const { view } = store;
      const next = store.successor();
      next.apply(at(5), (w) => {
        w.put(notes, note('2'));
      });
      next.commit();
      expect(view.get(notes, '2')).toBeUndefined();
      expect(view.get(notes, '1')).toBeDefined();
      store.succeed(next);
      expect(view.get(notes, '1')).toBeUndefined();
      expect(view.get(notes, '2')).toBeDefined();
      expect(store.checkpoint()).toEqual(at(5));
      expect(store.view).toBe(view);
      put(store, note('3'));
      expect([...store.rows()].map((r) => r.key)).toEqual(['2', '3']);
    });

    it('an unknown index is named', () => {
      const store = open();
      const wrong = { ...notes, indexes: { ...notes.indexes, byNothing: () => undefined } };
      put(store, note('1'));
      expect(() => store.view.range(wrong, 'byNothing', [], { limit: 1 })).toThrow(
        'notes has no index byNothing',
      );
    });

    it('a closed store says so', () => {
      const store = open();
      store.close();
      store.close();
      expect(() => store.view.get(notes, '1')).toThrow('closed');
      expect(() => store.checkpoint()).toThrow('closed');
    });

    modelLaws(() => engine.open(schema), engine.reopen && ((s) => engine.reopen?.(s, schema) ?? s));

    const { reopen } = engine;
    if (reopen === undefined) return;

    it('rows and checkpoint come back together, as of the last commit', () => {
      let store = open();
      put(store, note('1'));
      store.commit();
      store.apply(at(2), (w) => {
        w.put(notes, note('2'));
        w.range(notes, 'byTopic', [], { limit: 1 });
      });
      store = reopen(store, schema);
      opened.push(store);
      expect(store.checkpoint()).toEqual(at(1));
      expect([...store.rows()].map((r) => r.key)).toEqual(['1']);
    });

    it('another version, table or index starts from nothing', () => {
      const changes: ViewSchema[] = [
        { ...schema, version: '2' },
        { ...schema, tables: [notes] },
        { ...schema, tables: [{ ...notes, indexes: { byDue: notes.indexes.byDue } }, other] },
      ];
      for (const change of changes) {
        let store = open();
        put(store, note('1'));
        store.commit();
        store = reopen(store, change);
        expect(store.checkpoint()).toBeUndefined();
        expect([...store.rows()]).toEqual([]);
        store.close();
      }
    });
  });
}
