/** What a sample has counted for is on the disk: killed at any byte, the agent goes on where it was. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { UsageReading } from '../driver.ts';
import { finalHours } from './meter.ts';
import type { Sample } from './sample.ts';
import { storedState } from './state.ts';
import { openSamples, type SampleStore } from './store.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const START = Date.parse('2026-04-10T22:00:00.000Z');

let folder = '';
const opened: SampleStore[] = [];
let ids = 0;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bivouac-samples-'));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(at = folder): Promise<SampleStore> {
  const store = await openSamples({
    folder: at,
    newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
  });
  opened.push(store);
  return store;
}

function sample(at: number, value: number, containers = ['a']): Sample {
  const readings = containers.map((containerId): UsageReading => {
    const counter = { epoch: '1', value: BigInt(value) };
    return {
      ...{ containerId, generation: 1, memoryBytes: 1n, memoryPeakBytes: 1n, diskBytes: 1n },
      ...{ processes: 1, cpuNanos: counter, receivedBytes: counter, sentBytes: counter },
    };
  });
  return { at, spacingMs: 5 * MINUTE, asked: null, readings };
}

function used(store: SampleStore): bigint {
  return [...store.state.hours.values()].reduce(
    (sum, { uses }) => sum + [...uses.values()].reduce((all, use) => all + use.cpuNanos.used, 0n),
    0n,
  );
}

test('a day’s file begins with all that was known, and the meter goes on over any number of restarts', async () => {
  let store = await open();
  const { meterId } = store;
  // Over midnight.
  for (let n = 0; n <= 36; n++) {
    await store.take(sample(START + n * 5 * MINUTE, n * 10));
    if (n % 7 !== 0) continue;
    const before = storedState(store.state);
    await store.close();
    opened.splice(0);
    store = await open();
    expect(storedState(store.state)).toEqual(before);
    expect(store.meterId).toBe(meterId);
  }
  expect((await readdir(folder)).sort()).toEqual([
    'samples-2026-04-10.journal',
    'samples-2026-04-11.journal',
  ]);
  expect(used(store)).toBe(360n);
});

test('cut at any byte, the file gives a whole number of samples, and the rest counts as a gap', async () => {
  const store = await open();
  for (let n = 0; n < 4; n++) await store.take(sample(START + n * 5 * MINUTE, n * 10));
  await store.close();
  opened.splice(0);
  const name = 'samples-2026-04-10.journal';
  const bytes = await readFile(join(folder, name));
  const header = bytes.indexOf(10) + 1;
  const seen = new Set<bigint>();
  for (let end = header; end <= bytes.length; end += 7) {
    const cut = await mkdtemp(join(tmpdir(), 'bivouac-cut-'));
    try {
      await writeFile(join(cut, name), bytes.subarray(0, end));
      const again = await open(cut);
      seen.add(used(again));
      // With one sample kept the count goes on from it; without any it begins now.
      const kept = again.state.wholeAt !== null;
      await again.take(sample(START + 60 * MINUTE, 120));
      expect(used(again)).toBe(kept ? 120n : 0n);
      await again.close();
      opened.pop();
    } finally {
      await rm(cut, { recursive: true, force: true });
    }
  }
  expect([...seen].sort()).toEqual([0n, 10n, 20n]);
});

test('a report is there until each part was noted, also after a restart, and then never again', async () => {
  let store = await open();
  const many = Array.from({ length: 150 }, (_, n) => `c${n}`);
  await store.take(sample(START + 5 * MINUTE, 0, many));
  await store.take(sample(START + 60 * MINUTE, 10, many));
  const hour = START;
  expect(finalHours(store.state)).toEqual([hour]);
  expect(store.unnoted()).toEqual([
    { hour, part: 0 },
    { hour, part: 1 },
  ]);
  await store.note({ hour, part: 0 });
  await store.close();
  opened.splice(0);
  store = await open();
  expect(store.unnoted()).toEqual([{ hour, part: 1 }]);
  await store.note({ hour, part: 1 });
  expect([store.unnoted(), [...store.state.hours.keys()]]).toEqual([[], []]);
  await store.note({ hour, part: 1 });
  await store.close();
  opened.splice(0);
  store = await open();
  expect(store.unnoted()).toEqual([]);
});

test('files go after two billing periods', async () => {
  const store = await open();
  for (let day = 0; day < 100; day += 10) await store.take(sample(START + day * DAY, day));
  const days = (await readdir(folder)).sort();
  expect(days[0]).toBe('samples-2026-05-10.journal');
  expect(days).toHaveLength(7);
});

test('a day that was begun and never written goes on from the day before', async () => {
  let store = await open();
  await store.take(sample(START, 0));
  await store.take(sample(START + 5 * MINUTE, 10));
  const { meterId } = store;
  await store.close();
  opened.splice(0);
  // Killed when the next day's file had its header and nothing else.
  const bytes = await readFile(join(folder, 'samples-2026-04-10.journal'));
  await writeFile(
    join(folder, 'samples-2026-04-11.journal'),
    bytes.subarray(0, bytes.indexOf(10) + 1),
  );
  store = await open();
  await store.take(sample(START + 3 * 60 * MINUTE, 50));
  expect([store.meterId, used(store)]).toEqual([meterId, 50n]);
});

test('a sample that says nothing new is not kept', async () => {
  const store = await open();
  await store.take(sample(START, 0));
  const before = await readFile(join(folder, 'samples-2026-04-10.journal'), 'utf8');
  await store.take(sample(START, 7));
  await store.take(sample(START - MINUTE, 9));
  expect(await readFile(join(folder, 'samples-2026-04-10.journal'), 'utf8')).toBe(before);
});
