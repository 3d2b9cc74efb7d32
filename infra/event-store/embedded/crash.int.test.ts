// The embedded log and other processes: one holds it at a time, and a killed one leaves it whole.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { refusal } from '../contract/samples.ts';
import { FILES } from './schema.js';
import { openDatabase } from './sqlite.js';
import { openEmbeddedStore } from './store.ts';
import { checkAfterCrash, crashOnce, startCrashChild } from './testing/crash.ts';
import { fill, newFolder, removeFolders } from './testing/folders.ts';

afterAll(removeFolders);

test('a second process is refused while the first lives; kill -9 frees the lock', async () => {
  const folder = newFolder();
  const plan = { seed: 1, writers: 4, appends: 1_000_000 };
  const first = startCrashChild(folder, plan);
  await first.lines(10);
  expect((await refusal(openEmbeddedStore({ folder }))).code).toBe('store-in-use');
  first.process.kill('SIGKILL');
  await first.ended;
  const report = await checkAfterCrash(folder, first.said, 1);
  expect(report.violations).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(8);
}, 30_000);

test('killed under load, again and again: what was acknowledged is there, appends are whole', async () => {
  const folder = newFolder();
  for (let seed = 4; seed < 8; seed++) {
    const { violations } = await crashOnce(folder, seed);
    expect({ seed, violations }).toEqual({ seed, violations: [] });
  }
}, 60_000);

test.each([
  ['before anything was written', 0],
  ['when it was about to become a log', 512],
])('killed while the log is made, %s: the next start makes it', async (_when, bytes) => {
  const folder = newFolder();
  const file = path.join(folder, FILES.log);
  const db = openDatabase(file);
  db.exec('PRAGMA journal_mode = WAL');
  db.close();
  // What SQLite writes before it changes a file that was empty: "cut it back to 0 pages".
  const journal = Buffer.alloc(512);
  Buffer.from('d9d505f920a163d7', 'hex').copy(journal);
  journal.writeUInt32BE(512, 20);
  journal.writeUInt32BE(4096, 24);
  writeFileSync(`${file}-journal`, journal.subarray(0, bytes));

  const store = await openEmbeddedStore({ folder });
  expect((await store.head()).position).toBeNull();
  await fill(store, 3);
  await store.close();
  const again = await openEmbeddedStore({ folder });
  expect((await again.readAll()).events.length).toBeGreaterThan(3);
  await again.close();
});
