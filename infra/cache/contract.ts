/** The laws every cache keeps while it is there, as one suite. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Cache } from './port.ts';

export interface CacheUnderTest {
  readonly cache: Cache;
  /** Lets so many milliseconds pass. */
  pass(milliseconds: number): Promise<void>;
  dispose(): Promise<void>;
}

/** What lives so long is not ended by a machine that is slow at a test. */
const MINUTE = 60_000;

export function cacheContract(name: string, factory: () => Promise<CacheUnderTest>): void {
  describe(`cache: ${name}`, () => {
    let under: CacheUnderTest;
    let cache: Cache;
    beforeEach(async () => {
      under = await factory();
      ({ cache } = under);
    });
    afterEach(() => under.dispose());

    test('a value is there until it is deleted, replaced or too old', async () => {
      expect(await cache.get('k')).toBeUndefined();
      await cache.set('k', 'one', MINUTE);
      await cache.set('k', 'two', 2 * MINUTE);
      await cache.set('other', '', MINUTE);
      expect([await cache.get('k'), await cache.get('other')]).toEqual(['two', '']);
      await under.pass(1.1 * MINUTE);
      expect([await cache.get('k'), await cache.get('other')]).toEqual(['two', undefined]);
      await under.pass(MINUTE);
      expect(await cache.get('k')).toBeUndefined();
      await cache.set('k', 'three', MINUTE);
      await cache.delete('k');
      await cache.delete('none');
      expect(await cache.get('k')).toBeUndefined();
      await cache.set('k', 'gone', 0);
      expect(await cache.get('k')).toBeUndefined();
    });

    test('a bucket gives in any time no more than its capacity and what leaked meanwhile, and no less', async () => {
      let n = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 50 }),
          fc.integer({ min: 1, max: 40 }),
          fc.array(
            fc.record({
              wait: fc.constantFrom(0, 0, 50, 250),
              cost: fc.integer({ min: 0, max: 60 }),
            }),
            { minLength: 1, maxLength: 12 },
          ),
          async (capacity, refillPerSecond, takes) => {
            const bucket = `bucket ${n++}`;
            // The model: the level as whoever fills it counts it.
            let level = 0;
            for (const { wait, cost } of takes) {
              if (wait > 0) await under.pass(wait);
              level = Math.max(0, level - (wait * refillPerSecond) / 1000);
              const answer = await cache.take(bucket, cost, { capacity, refillPerSecond });
              const slack = 1e-6;
              if (level + cost <= capacity - slack) expect(answer.taken).toBe(true);
              if (level + cost > capacity + slack) expect(answer.taken).toBe(false);
              if (answer.taken) level += cost;
              expect(answer.remaining).toBeCloseTo(Math.max(0, capacity - level), 4);
              if (answer.taken) expect(answer.retryAfterMilliseconds).toBe(0);
              else if (cost > capacity) expect(answer.retryAfterMilliseconds).toBe(Infinity);
              else {
                const due = ((level + cost - capacity) * 1000) / refillPerSecond;
                expect(answer.retryAfterMilliseconds).toBeGreaterThanOrEqual(Math.floor(due));
                expect(answer.retryAfterMilliseconds).toBeLessThanOrEqual(Math.ceil(due) + 1);
              }
            }
          },
        ),
        { numRuns: 100 },
      );
    });

    test('what was refused fits after the time that was said', async () => {
      const limit = { capacity: 10, refillPerSecond: 3 };
      expect((await cache.take('b', 10, limit)).taken).toBe(true);
      const refused = await cache.take('b', 4, limit);
      expect(refused.taken).toBe(false);
      await under.pass(refused.retryAfterMilliseconds);
      expect((await cache.take('b', 4, limit)).taken).toBe(true);
    });

    test('of many takes at once a bucket gives exactly what fits', async () => {
      const limit = { capacity: 10, refillPerSecond: 0 };
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => cache.take('b', 1, limit)),
      );
      expect(answers.filter((a) => a.taken)).toHaveLength(10);
    });

    test('a lease has one holder until it ends, and each new one a greater token', async () => {
      let last = 0n;
      for (const holder of ['a', 'b', 'a']) {
        const lease = await cache.lease('relay', holder, MINUTE);
        expect(lease !== undefined && lease.token > last).toBe(true);
        last = lease?.token ?? last;
        expect(await cache.lease('relay', 'another', MINUTE)).toBeUndefined();
        await under.pass(1.1 * MINUTE);
      }
    });

    test('its holder renews a lease under the same token, and its release is another’s chance', async () => {
      const first = await cache.lease('relay', 'a', MINUTE);
      await under.pass(0.6 * MINUTE);
      expect(await cache.lease('relay', 'a', MINUTE)).toEqual(first);
      await under.pass(0.6 * MINUTE);
      expect(await cache.lease('relay', 'b', MINUTE)).toBeUndefined();
      await cache.release('relay', 'b');
      expect(await cache.lease('relay', 'b', MINUTE)).toBeUndefined();
      await cache.release('relay', 'a');
      const next = await cache.lease('relay', 'b', MINUTE);
      expect(next !== undefined && first !== undefined && next.token > first.token).toBe(true);
      expect(await cache.lease('other', 'a', MINUTE)).toBeDefined();
    });

    test('of many who want a lease at once one gets it', async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => cache.lease('relay', `holder ${i}`, MINUTE)),
      );
      expect(answers.filter((a) => a !== undefined)).toHaveLength(1);
    });

    test('subscribers get what is published to their channel, in order, until their signal', async () => {
      const stop = new AbortController();
      const [one, two]: [string[], string[]] = [[], []];
      const never = new AbortController().signal;
      let wake: () => void = () => undefined;
      await cache.publish('a', 'before');
      await cache.subscribe('a', (m) => one.push(m), stop.signal);
      await cache.subscribe(
        'a',
        (m) => {
          two.push(m);
          wake();
        },
        never,
      );
      const until = async (count: number): Promise<void> => {
        while (two.length < count) await new Promise<void>((resolve) => (wake = resolve));
      };
      await cache.publish('a', '1');
      await cache.publish('b', 'not ours');
      await cache.publish('a', '2');
      await until(2);
      stop.abort();
      await cache.publish('a', '3');
      await until(3);
      expect([one, two]).toEqual([
        ['1', '2'],
        ['1', '2', '3'],
      ]);
      await cache.subscribe('a', () => expect('delivered after the abort').toBe(''), stop.signal);
      await cache.publish('a', '4');
      await until(4);
    });
  });
}
