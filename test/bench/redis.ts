/**
 * Buckets in Redis: decisions a second of the cache as gateways use it. The limits are the same script
 * through the bare client, and a bare INCR, which is the least that counts anything. On the Redis of
 * CACHE_URL.
 */
import { randomUUID } from 'node:crypto';
import { env } from 'node:process';

import { openCache } from '@bivouac/infra/cache';
import { systemClock } from '@bivouac/infra/runtime';
import { Redis } from 'ioredis';

import { TAKE } from '../../infra/cache/redis/scripts.ts';
import { type BenchPart, type Figure, pairsOf, secondsOf } from './figure.ts';

const DECISIONS = 20_000;
/** Requests under way at once. */
const AT_ONCE = 64;
const BUCKETS = 1000;
const limit = { capacity: 1_000_000, refillPerSecond: 1000 };

export const redisBenchmarks: BenchPart = {
  names: ['redis.bucket', 'redis.bucket.incr'],
  run: async () => {
    const url = env['CACHE_URL'] ?? 'redis://127.0.0.1:7379';
    const bare = new Redis(url, { lazyConnect: true, retryStrategy: null });
    try {
      await bare.connect();
    } catch (cause) {
      throw new Error(`Redis was not reached at ${url}: run infra/dev/up redis.`, { cause });
    }
    const cache = await openCache({
      ...{ url, installation: `bench-${randomUUID()}`, clock: systemClock },
      onOutage: (error) => {
        throw error;
      },
    });
    const prefix = `bench-${randomUUID()}`;
    const ours = (): Promise<number> =>
      rateOf(async (i) => {
        const { taken } = await cache.take(`account ${i % BUCKETS}`, 1, limit);
        if (!taken) throw new Error('a bucket that has room was refused');
      });
    const script = (): Promise<number> =>
      rateOf(async (i) => {
        await bare.callBuffer('EVALSHA', digest, 1, `${prefix} ${i % BUCKETS}`, ...given);
      });
    const incr = (): Promise<number> =>
      rateOf(async (i) => {
        await bare.incr(`${prefix} count ${i % BUCKETS}`);
      });
    const digest = String(await bare.script('LOAD', TAKE));
    const given = ['1', String(limit.capacity), String(limit.refillPerSecond), ''];
    const figures: Record<string, Figure> = {
      'redis.bucket': await pairsOf('decisions/s', ours, script),
      'redis.bucket.incr': await pairsOf('decisions/s', ours, incr),
    };
    for (let i = 0; i < BUCKETS; i++) await bare.del(`${prefix} ${i}`, `${prefix} count ${i}`);
    await cache.close();
    bare.disconnect();
    return figures;
  },
};

async function rateOf(decide: (i: number) => Promise<void>): Promise<number> {
  let next = 0;
  const one = async (): Promise<void> => {
    for (let i = next++; i < DECISIONS; i = next++) await decide(i);
  };
  return DECISIONS / (await secondsOf(() => Promise.all(Array.from({ length: AT_ONCE }, one))));
}
