import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { viewStoreContract } from './contract.ts';
import { at, note, notes, other, put } from './contract-samples.ts';
import { memoryViews } from './memory.ts';
import { openSqliteViews, type SqliteViewsOptions } from './sqlite.ts';
import type { ViewStore } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'views-'));
let files = 0;
const freshFile = (): string => join(folder, `${++files}`, 'views.db');
const options = (file: string): SqliteViewsOptions => ({
  file,
  tables: [notes, other],
  version: '1',
  // Tiny, so that the tests go through every layer.
  memoryBytes: 2400,
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const fileOf = new WeakMap<ViewStore, string>();
const opened = (file: string, more: Partial<SqliteViewsOptions>): ViewStore => {
  const store = openSqliteViews({ ...options(file), ...more });
  fileOf.set(store, file);
  return store;
};

viewStoreContract('SQLite', {
  open: (schema) => opened(freshFile(), schema),
  reopen: (store, schema) => {
    store.close();
    return opened(fileOf.get(store) ?? '', schema);
  },
});

describe('views on SQLite, beside others', () => {
  it('both engines give the same dump for the same writes', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 3 });
    const writes = fc.array(
      fc.record({ id: text, topic: text, size: fc.double({ noNaN: true }) }),
      {
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(writes, (rows) => {
        const stores = [openSqliteViews(options(freshFile())), memoryViews()];
        const dumps = stores.map((store) => {
          for (const [i, row] of rows.entries()) {
            store.apply(at(i + 1), (w) => {
              const size = Number.isFinite(row.size) ? row.size : 0;
              if (i % 7 === 6) w.delete(notes, row.id);
              else w.put(notes, note(row.id, { topic: row.topic, size }));
            });
          }
          const lists = store.view.range(notes, 'byTopic', [], { limit: 99 });
          const dump = store.dump();
          store.close();
          return { lists, dump };
        });
        expect(dumps[0]).toEqual(dumps[1]);
      }),
      { numRuns: 100 },
    );
  });

  it('half a surrogate pair in a key is kept apart from another, on both engines', () => {
    for (const store of [openSqliteViews(options(freshFile())), memoryViews()]) {
      put(store, note('\ud800'), note('\ud801'), note('\ufffd'));
      store.commit();
      const ids = store.view.range(notes, 'byTopic', [], { limit: 9 }).map((i) => i.row.id);
      expect(ids).toEqual(['\ufffd', '\ud800', '\ud801']);
      store.close();
    }
  });

  it('a second opener of the same file is refused, and the first goes on', () => {
    const file = freshFile();
    const store = openSqliteViews(options(file));
    put(store, note('1'));
    store.commit();
    expect(() => openSqliteViews(options(file))).toThrow('in use');
    put(store, note('2'));
    store.commit();
    store.close();
  });

  it('a file that is damaged or is no database is started anew', () => {
    const file = freshFile();
    openSqliteViews(options(file)).close();
    writeFileSync(
      `${file}.1`,
      'this is not a database, but long enough to be taken for one'.repeat(99),
    );
    const store = openSqliteViews(options(file));
    expect(store.checkpoint()).toBeUndefined();
    put(store, note('1'));
    store.commit();
    store.close();
    const again = openSqliteViews(options(file));
    expect(again.checkpoint()).toEqual(at(1));
    again.close();
  });

  it('a rebuild cut short by a crash leaves the view as it was', () => {
    const file = freshFile();
    const store = openSqliteViews(options(file));
    put(store, note('1'));
    store.commit();
    const next = store.successor();
    put(next, note('2'));
    next.commit();
    // A crash closes nothing; the lock alone is let go here, to open again in the same process.
    store.close();
    const again = openSqliteViews(options(file));
    expect([...again.rows()].map((r) => r.key)).toEqual(['1']);
    again.close();
  });

  it('what is closed or replaced leaves no file that would vanish later', () => {
    const file = freshFile();
    const files = (): string[] => readdirSync(dirname(file)).sort();
    const store = openSqliteViews(options(file));
    put(store, note('1'));
    store.commit();
    expect(files()).toContain('views.db.1-wal');
    const next = store.successor();
    put(next, note('2'));
    store.succeed(next);
    expect(files().filter((name) => name.startsWith('views.db.1'))).toEqual([]);
    store.reset();
    expect(files().filter((name) => name.startsWith('views.db.2'))).toEqual([]);
    put(store, note('3'));
    store.commit();
    // Its statements are alive, so the binding has not closed the file yet.
    store.close();
    expect(files()).toEqual(['views.db.3', 'views.db.lock']);
    const again = openSqliteViews({ ...options(file), version: '2' });
    expect(files().filter((name) => name.startsWith('views.db.3'))).toEqual([]);
    again.close();
    expect(files()).toEqual(['views.db.4', 'views.db.lock']);
  });

  it('a table that no projection listed is named', () => {
    const store = openSqliteViews({ ...options(freshFile()), tables: [notes] });
    expect(() => store.view.get(other, 'x')).toThrow('other is not part of this read model');
    store.close();
    const twice = { ...options(freshFile()), tables: [notes, { ...notes }] };
    expect(() => openSqliteViews(twice)).toThrow('two tables are named notes');
  });
});
