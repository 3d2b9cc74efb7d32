// The cache in memory keeps the contract, and stays small.
import { expect, test } from '@jest/globals';

import { ManualClock } from '../runtime/clock.ts';
import { cacheContract } from './contract.ts';
import { memoryCache } from './index.ts';

cacheContract('memory', async () => {
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const cache = memoryCache({ clock });
  return { cache, pass: async (ms) => clock.advance(ms), dispose: () => cache.close() };
});

test('more values than it keeps push out the oldest', async () => {
  const cache = memoryCache({ clock: new ManualClock(0) });
  for (let i = 0; i < 50_010; i++) await cache.set(`k${i}`, 'v', 1000);
  expect(await cache.get('k0')).toBeUndefined();
  expect(await cache.get('k50009')).toBe('v');
});

test('buckets forgotten because they were empty give what they would have given', async () => {
  const clock = new ManualClock(0);
  const cache = memoryCache({ clock });
  const limit = { capacity: 1, refillPerSecond: 1 };
  await cache.take('full', 1, { capacity: 1, refillPerSecond: 0 });
  for (let i = 0; i < 25_000; i++) {
    await cache.take(`b${i}`, 1, limit);
    if (i % 5000 === 0) clock.advance(2000);
  }
  expect((await cache.take('full', 1, { capacity: 1, refillPerSecond: 0 })).taken).toBe(false);
  expect((await cache.take('b1', 1, limit)).taken).toBe(true);
});

test('a clock that jumps back fills no bucket and ends no lease early', async () => {
  const clock = new ManualClock(100_000);
  const cache = memoryCache({ clock });
  const limit = { capacity: 10, refillPerSecond: 1 };
  await cache.take('b', 10, limit);
  await cache.lease('relay', 'a', 1000);
  clock.moveTo(50_000);
  expect((await cache.take('b', 1, limit)).taken).toBe(false);
  expect(await cache.lease('relay', 'b', 1000)).toBeUndefined();
  clock.advance(1000);
  expect((await cache.take('b', 1, limit)).taken).toBe(true);
});

test('a cost that is not a number from 0 is refused', async () => {
  const cache = memoryCache({ clock: new ManualClock(0) });
  const limit = { capacity: 10, refillPerSecond: 1 };
  await expect(cache.take('b', -1, limit)).rejects.toThrow(RangeError);
  await expect(cache.take('b', Number.NaN, limit)).rejects.toThrow(RangeError);
});
