// The embedded log and other processes: one holds it at a time, and a killed one leaves it whole.
import { afterAll, expect, test } from '@jest/globals';
import { refusal } from '../contract/samples.ts';
import { openEmbeddedStore } from './store.ts';
import { checkAfterCrash, crashOnce, startCrashChild } from './testing/crash.ts';
import { newFolder, removeFolders } from './testing/folders.ts';

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
