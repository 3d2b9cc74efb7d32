// The embedded log's writer: durable before acknowledged, never in the way of the event loop, and
// closed for good after a failure.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, expect, test } from '@jest/globals';
import { readWholeLog, refusal, sampleEvent, sampleEvents } from '../contract/samples.ts';
import { EventStoreError } from '../port.ts';
import { readHeadRecord } from './head-record.js';
import { LogWriter } from './log-writer.js';
import { FILES } from './schema.js';
import { openEmbeddedStore } from './store.ts';
import { copyLog, faultsOf, fill, newFolder, removeFolders } from './testing/folders.ts';

afterAll(removeFolders);

/** A gate the writer's commits wait at: `[open, waiting]`. */
function gate(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(8));
}

function open(at: Int32Array): void {
  Atomics.store(at, 0, 1);
  Atomics.notify(at, 0);
}

test('the event loop turns and readers read while a commit is slow; nothing is acknowledged before', async () => {
  const slow = gate();
  const store = await openEmbeddedStore({ folder: newFolder(), faults: faultsOf({ gate: slow }) });
  let settled = false;
  const appended = store.append('pool-1', 'no-stream', [sampleEvent('a')]).finally(() => {
    settled = true;
  });
  while (Atomics.load(slow, 1) === 0) await nextTurn();
  // The commit stands still now. If it held the loop, the next line would never come back.
  for (let i = 0; i < 1000; i++) await nextTurn();
  expect(await store.readStream('pool-1')).toEqual({ exists: false });
  expect((await store.head()).position).toBeNull();
  expect(settled).toBe(false);
  open(slow);
  expect((await appended).revision).toBe(0n);
  await store.close();
});

test('appends that come while a commit is under way share the next one', async () => {
  const slow = gate();
  const store = await openEmbeddedStore({ folder: newFolder(), faults: faultsOf({ gate: slow }) });
  const first = store.append('pool-0', 'no-stream', [sampleEvent('first')]);
  while (Atomics.load(slow, 1) === 0) await nextTurn();
  const waiting = Array.from({ length: 100 }, (_, i) =>
    store.append(`pool-${i + 1}`, 'no-stream', [sampleEvent(`${i}`)]),
  );
  await nextTurn();
  Atomics.store(slow, 1, 0);
  open(slow);
  await first;
  const positions = (await Promise.all(waiting)).map((r) => Number(r.position));
  expect(positions).toEqual(Array.from({ length: 100 }, (_, i) => i + 2));
  await store.close();
});

test.each(['beforeCommit', 'afterCommit', 'beforeRecord'] as const)(
  'a disk that fails %s: no acknowledgement follows, the store fails closed and says so once',
  async (point) => {
    const folder = newFolder();
    const failures: string[] = [];
    let resolve = (): void => undefined;
    const failed = new Promise<void>((done) => {
      resolve = done;
    });
    const store = await openEmbeddedStore({
      folder,
      faults: faultsOf({ fail: { point, at: point === 'beforeRecord' ? 2 : 3 } }),
      onFailure: (error) => {
        failures.push(error.code);
        resolve();
      },
    });
    const acknowledged: string[] = [];
    const refused: string[] = [];
    const writer = async (w: number): Promise<void> => {
      for (let i = 0; ; i++) {
        const expected = i === 0 ? 'no-stream' : BigInt(i - 1);
        const event = sampleEvent(`${w} ${i}`);
        const result = await store
          .append(`pool-${w}`, expected, [event])
          .catch((error: unknown) => error);
        if (result instanceof EventStoreError) {
          refused.push(result.code);
          return;
        }
        if (failures.length > 0) throw new Error('acknowledged after the failure');
        acknowledged.push(event.id);
      }
    };
    await Promise.all(Array.from({ length: 40 }, (_, w) => writer(w)));
    await failed;
    expect(refused).toHaveLength(40);
    for (const code of refused) expect(['outcome-unknown', 'unavailable']).toContain(code);
    expect(refused.includes('outcome-unknown')).toBe(point !== 'beforeRecord');
    const later = await refusal(store.append('pool-x', 'no-stream', [sampleEvent('later')]));
    expect(later.code).toBe('unavailable');
    expect(later.message).toMatch(/cannot be written/);
    await store.close();
    expect(failures).toEqual(['unavailable']);

    const again = await openEmbeddedStore({ folder });
    const ids = (await readWholeLog(again)).map((e) => e.id);
    expect(ids).toEqual(expect.arrayContaining(acknowledged));
    await again.close();
  },
);

test('the head record is written at close and, under load, without waiting for it', async () => {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  expect(readHeadRecord(folder)).toMatchObject({ position: 0 });
  const { position } = await store.append('pool-1', 'no-stream', sampleEvents('a', 3));
  for (let i = 0; recorded(folder) < Number(position); i++) {
    // Load that never pauses: the record must not starve.
    await store.append('pool-2', i === 0 ? 'no-stream' : BigInt(i - 1), [sampleEvent(`l${i}`)]);
  }
  await store.append('pool-3', 'no-stream', [sampleEvent('last')]);
  const { position: head } = await store.head();
  await store.close();
  expect(recorded(folder)).toBe(Number(head));
});

test('a second opener in the same process is refused, and free to open after the close', async () => {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  const error = await refusal(openEmbeddedStore({ folder }));
  expect(error.code).toBe('store-in-use');
  expect(error.message).toMatch(/in use by another process.*stop it/);
  await store.append('pool-1', 'no-stream', [sampleEvent('a')]);
  await store.close();
  const again = await openEmbeddedStore({ folder });
  expect(await readWholeLog(again)).toHaveLength(1);
  await again.close();
});

test('closing folds the write-ahead log in', async () => {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  await fill(store, 50);
  await store.close();
  const wal = path.join(folder, `${FILES.log}-wal`);
  expect(existsSync(wal) ? statSync(wal).size : 0).toBe(0);
});

test('a folder that cannot be made or written is named, with the remedy', async () => {
  const file = path.join(newFolder(), 'file');
  writeFileSync(file, '');
  const inFile = await refusal(openEmbeddedStore({ folder: path.join(file, 'data') }));
  expect([inFile.code, inFile.message]).toEqual([
    'unavailable',
    expect.stringMatching(/file\/data.*choose one that is writable/),
  ]);
  // A lock that is a folder cannot be opened by anyone, root included.
  const folder = newFolder();
  mkdirSync(path.join(folder, FILES.lock));
  const inFolder = await refusal(openEmbeddedStore({ folder }));
  expect([inFolder.code, inFolder.message]).toEqual([
    'unavailable',
    expect.stringMatching(/cannot be written.*Check that the folder/),
  ]);
});

test('a log whose creation was cut short is begun again, one with tables keeps its epoch', async () => {
  // Death before the tables leaves an empty file; death before the record, tables without one.
  const folder = newFolder();
  writeFileSync(path.join(folder, FILES.log), '');
  await (await openEmbeddedStore({ folder, epoch: 'first' })).close();
  const copy = copyLog(folder);
  rmSync(path.join(copy, FILES.head));
  const store = await openEmbeddedStore({ folder: copy, epoch: 'second' });
  expect((await store.head()).epoch).toBe('first');
  await store.close();
});

test('what was recovered is written anew before it is served', () => {
  const folder = newFolder();
  const writer = new LogWriter(folder, 'epoch', {});
  writer.close(false);
  const again = new LogWriter(folder, 'epoch', {});
  expect(statSync(path.join(folder, `${FILES.log}-wal`)).size).toBe(0);
  again.close(true);
  expect(readFileSync(path.join(folder, FILES.log)).length).toBeGreaterThan(0);
});

function recorded(folder: string): number {
  const record = readHeadRecord(folder);
  return typeof record === 'object' ? record.position : -1;
}
