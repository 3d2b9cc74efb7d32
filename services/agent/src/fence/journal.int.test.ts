/** The journal loses nothing it acknowledged and accepts nothing that was not written whole. */
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JournalCorrupt } from './journal-format.ts';
import type { JournalFile } from './journal-disk.ts';
import { JournalBroken, openJournal, type Journal } from './journal.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'journal-'));
  file = join(folder, 'x.journal');
});

afterEach(() => rm(folder, { recursive: true }));

interface Counter {
  readonly key: string;
  readonly value: number;
}

/** A journal of counters: the last value of a key counts. */
async function open(
  options: { compactBytes?: number; wrap?: (handle: JournalFile) => JournalFile } = {},
): Promise<{ journal: Journal<Counter>; state: Map<string, number> }> {
  const state = new Map<string, number>();
  const journal = await openJournal<Counter>(
    {
      file,
      kind: 'counters/1',
      parse: (json) => json as Counter,
      *snapshot() {
        for (const [key, value] of state) yield { key, value };
      },
      ...options,
    },
    ({ key, value }) => state.set(key, value),
  );
  const append = journal.append.bind(journal);
  return {
    state,
    journal: {
      ...journal,
      append(...records) {
        for (const { key, value } of records) state.set(key, value);
        return append(...records);
      },
    },
  };
}

test('what was acknowledged is there after opening again, in order', async () => {
  const { journal } = await open();
  await Promise.all([1, 2, 3].map((value) => journal.append({ key: 'a', value })));
  await journal.append({ key: 'b', value: 9 });
  await journal.close();
  const again = await open();
  expect([...again.state]).toEqual([
    ['a', 3],
    ['b', 9],
  ]);
  await again.journal.close();
});

test('appends of one moment share one fdatasync, and none is acknowledged before it', async () => {
  const log: string[] = [];
  const { journal } = await open({
    wrap: (handle) => ({
      appendFile: (data) => handle.appendFile(data),
      close: () => handle.close(),
      datasync: () => handle.datasync().then(() => void log.push('synced')),
    }),
  });
  await Promise.all(
    Array.from({ length: 50 }, (_, value) =>
      journal.append({ key: `k${value}`, value }).then(() => log.push('acknowledged')),
    ),
  );
  await journal.close();
  expect(log[0]).toBe('synced');
  expect(log.filter((entry) => entry === 'synced')).toHaveLength(1);
});

test('a file cut anywhere keeps the acknowledged before the cut, and takes appends again', async () => {
  const { journal } = await open();
  const ends: number[] = [(await readFile(file)).length];
  for (let value = 1; value <= 5; value += 1) {
    await journal.append({ key: 'a', value });
    ends.push((await readFile(file)).length);
  }
  await journal.close();
  const whole = await readFile(file);
  const cuts = fc.integer({ min: ends[0] ?? 0, max: whole.length });
  await fc.assert(
    fc.asyncProperty(cuts, fc.uint8Array({ maxLength: 30 }), async (cut, torn) => {
      await writeFile(file, whole);
      await truncate(file, cut);
      await appendFile(file, torn);
      const first = await open();
      const kept = ends.filter((end) => end <= cut).length - 1;
      expect(first.state.get('a') ?? 0).toBe(kept);
      await first.journal.append({ key: 'b', value: 1 });
      await first.journal.close();
      const second = await open();
      expect([second.state.get('a') ?? 0, second.state.get('b')]).toEqual([kept, 1]);
      await second.journal.close();
    }),
    { numRuns: 60 },
  );
});

test('a changed byte before a whole line is named, never skipped', async () => {
  const { journal } = await open();
  for (let value = 1; value <= 3; value += 1) await journal.append({ key: 'a', value });
  await journal.close();
  const whole = await readFile(file);
  const last = whole.lastIndexOf(10, whole.length - 2);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: last - 1 }), async (at) => {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0x15;
      await writeFile(file, changed);
      await expect(open()).rejects.toBeInstanceOf(JournalCorrupt);
    }),
    { numRuns: 60 },
  );
});

test('a file of another kind is refused and left', async () => {
  await writeFile(file, 'something else\n');
  await expect(open()).rejects.toBeInstanceOf(JournalCorrupt);
  expect(await readFile(file, 'utf8')).toBe('something else\n');
});

test('the file is rewritten as it grows, and says the same', async () => {
  const { journal, state } = await open({ compactBytes: 2000 });
  for (let value = 1; value <= 500; value += 1)
    await journal.append({ key: `k${value % 7}`, value });
  expect((await readFile(file)).length).toBeLessThan(4200);
  await journal.close();
  const again = await open();
  expect(new Map(again.state)).toEqual(state);
  await again.journal.close();
});

test.each(['appendFile', 'datasync'] as const)(
  'after a failed %s nothing more is acknowledged',
  async (broken) => {
    const { journal } = await open({
      wrap: (handle) => ({
        appendFile: (data) => handle.appendFile(data),
        datasync: () => handle.datasync(),
        close: () => handle.close(),
        [broken]: () => Promise.reject(new Error('EIO')),
      }),
    });
    await expect(journal.append({ key: 'a', value: 1 })).rejects.toBeInstanceOf(JournalBroken);
    await expect(journal.append({ key: 'a', value: 2 })).rejects.toBeInstanceOf(JournalBroken);
    await expect(journal.flush()).rejects.toBeInstanceOf(JournalBroken);
    await journal.close();
  },
);
