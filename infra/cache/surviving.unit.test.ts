// A cache that survives its engine: the contract while that is there, the documented way while not.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { ManualClock } from '../runtime/clock.ts';
import { cacheContract } from './contract.ts';
import { type Cache, memoryCache, survivingCache } from './index.ts';

cacheContract('one that survives its engine', async () => {
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const cache = survivingCache(memoryCache({ clock }), { clock, onOutage: unexpected });
  return { cache, pass: async (ms) => clock.advance(ms), dispose: () => cache.close() };
});

/** An engine that can be taken away. */
function setUp() {
  const clock = new ManualClock(1_000_000);
  const engine = memoryCache({ clock });
  const gone = new Error('ECONNREFUSED');
  let away = true;
  const guarded = new Proxy(engine, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]): unknown =>
        away ? Promise.reject(gone) : Reflect.apply(method, target, args);
    },
  });
  const outages: unknown[] = [];
  const cache: Cache = survivingCache(guarded, { clock, onOutage: (error) => outages.push(error) });
  return { clock, cache, engine, outages, gone, setAway: (to: boolean) => (away = to) };
}

test('while the engine is away nothing is found, nothing kept, and nobody gets a lease', async () => {
  const { cache, engine, setAway } = setUp();
  await engine.set('k', 'v', 1000);
  await cache.set('other', 'v', 1000);
  await cache.publish('channel', 'm');
  await cache.release('relay', 'a');
  expect(await cache.get('k')).toBeUndefined();
  expect(await cache.lease('relay', 'a', 1000)).toBeUndefined();
  await expect(
    cache.subscribe('channel', () => undefined, new AbortController().signal),
  ).rejects.toThrow('ECONNREFUSED');
  setAway(false);
  expect([await cache.get('k'), await cache.get('other')]).toEqual(['v', undefined]);
});

test('while the engine is away a bucket gives this process no more than it would have given', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ wait: fc.nat(500), cost: fc.nat(12), away: fc.boolean() }), {
        minLength: 1,
        maxLength: 30,
      }),
      async (takes) => {
        const { cache, clock, setAway } = setUp();
        const limit = { capacity: 20, refillPerSecond: 10 };
        const began = clock.now();
        let taken = 0;
        for (const { wait, cost, away } of takes) {
          clock.advance(wait);
          setAway(away);
          if ((await cache.take('b', cost, limit)).taken) taken += cost;
        }
        // Two buckets at the most: the engine's and this process's own.
        const leaked = ((clock.now() - began) / 1000) * limit.refillPerSecond;
        expect(taken).toBeLessThanOrEqual(2 * (limit.capacity + leaked));
      },
    ),
  );
});

test('an engine that comes and goes fills no bucket anew', async () => {
  const { cache, setAway } = setUp();
  const limit = { capacity: 1, refillPerSecond: 0 };
  let taken = 0;
  for (let i = 0; i < 10; i++) {
    setAway(i % 2 === 0);
    if ((await cache.take('b', 1, limit)).taken) taken++;
  }
  expect(taken).toBe(2);
});

test('an outage is told once, and once a minute where it goes on', async () => {
  const { cache, clock, outages, gone } = setUp();
  for (let i = 0; i < 100; i++) await cache.take('b', 1, { capacity: 10, refillPerSecond: 1 });
  await cache.get('k');
  expect(outages).toEqual([gone]);
  clock.advance(60_000);
  await cache.get('k');
  expect(outages).toEqual([gone, gone]);
});

test('a cost that is not a number from 0 is the caller’s mistake, and no outage', async () => {
  const { cache, outages, setAway } = setUp();
  setAway(false);
  await expect(cache.take('b', -1, { capacity: 1, refillPerSecond: 1 })).rejects.toThrow(
    RangeError,
  );
  expect(outages).toEqual([]);
});

function unexpected(error: unknown): void {
  throw error;
}
