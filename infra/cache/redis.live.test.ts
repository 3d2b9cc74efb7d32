// Redis keeps the cache's contract, and what only an engine of several processes can break. On the Redis
// of CACHE_URL, or one of this test's own.
import { randomUUID } from 'node:crypto';
import { env } from 'node:process';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';

import { ManualClock } from '../runtime/clock.ts';
import { cacheContract } from './contract.ts';
import type { Cache } from './port.ts';
import { redisCache } from './redis/cache.ts';
import { adminOf, OwnRedis, passFor, withRedis } from './redis/testing/server.ts';
import { parseRedisUrl } from './redis/url.ts';

const given = env['CACHE_URL'];

withRedis(() => {
  describe('Redis', () => {
    let own: OwnRedis | undefined;
    let url: string;
    let admin: Redis;
    beforeAll(async () => {
      if (given === undefined) own = await OwnRedis.start();
      url = given ?? own?.url ?? '';
      admin = adminOf(url);
    });
    afterAll(async () => {
      admin.disconnect();
      await own?.dispose();
    });

    async function cacheOf(installation: string, clock?: ManualClock): Promise<Cache> {
      const settings = parseRedisUrl(url);
      if ('problems' in settings) throw new Error(settings.problems.join('; '));
      return redisCache({ settings, installation, ...(clock && { clock }) });
    }

    cacheContract('Redis', async () => {
      const installation = randomUUID();
      const clock = new ManualClock('2026-04-10T09:00:00.000Z');
      const cache = await cacheOf(installation, clock);
      return {
        cache,
        pass: async (milliseconds) => {
          clock.advance(milliseconds);
          await passFor(admin, `bivouac:${installation}:`, milliseconds);
        },
        dispose: () => cache.close(),
      };
    });

    test('processes share a bucket, by the time of Redis’ machine', async () => {
      const installation = randomUUID();
      const caches = await Promise.all([1, 2, 3].map(() => cacheOf(installation)));
      const limit = { capacity: 100, refillPerSecond: 50 };
      const began = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 600 }, async (_, i) => caches[i % 3]?.take('b', 1, limit)),
      );
      const leaked = ((performance.now() - began) / 1000) * limit.refillPerSecond;
      const taken = answers.filter((answer) => answer?.taken === true).length;
      expect(taken).toBeGreaterThanOrEqual(100);
      expect(taken).toBeLessThanOrEqual(100 + Math.ceil(leaked));
      await Promise.all(caches.map((cache) => cache.close()));
    });

    test('of two processes one has the lease, and what one publishes the other hears', async () => {
      const installation = randomUUID();
      const [a, b] = [await cacheOf(installation), await cacheOf(installation)];
      const first = await a.lease('news', 'a', 5000);
      expect(first).toBeDefined();
      expect(await b.lease('news', 'b', 5000)).toBeUndefined();
      const heard = new Promise((resolve) => {
        void b
          .subscribe('news', resolve, new AbortController().signal)
          .then(() => a.publish('news', 'hello'));
      });
      expect(await heard).toBe('hello');
      await Promise.all([a.close(), b.close()]);
    });

    test('installations share nothing', async () => {
      const [a, b] = [await cacheOf(randomUUID()), await cacheOf(randomUUID())];
      const limit = { capacity: 1, refillPerSecond: 0 };
      await a.set('k', 'v', 10_000);
      expect([await a.get('k'), await b.get('k')]).toEqual(['v', undefined]);
      expect([(await a.take('b', 1, limit)).taken, (await b.take('b', 1, limit)).taken]).toEqual([
        ...[true, true],
      ]);
      expect([await a.lease('l', 'x', 1000), await b.lease('l', 'y', 1000)]).not.toContain(
        undefined,
      );
      await Promise.all([a.close(), b.close()]);
    });

    test('what is empty or over is forgotten by Redis itself', async () => {
      const installation = randomUUID();
      const cache = await cacheOf(installation);
      await cache.take('b', 5, { capacity: 10, refillPerSecond: 1 });
      await cache.set('k', 'v', 5000);
      await cache.lease('l', 'a', 5000);
      const prefix = `bivouac:${installation}:`;
      expect((await admin.keys(`${prefix}*`)).length).toBe(4);
      await passFor(admin, prefix, 5100);
      // The last token of a lease alone stays: it must not be given again.
      expect(await admin.keys(`${prefix}*`)).toEqual([`${prefix}token:l`]);
      await cache.close();
    });
  });
});
