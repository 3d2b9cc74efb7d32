/** The cache is away: a Redis that is killed. It needs one, so the live tests alone make it happen. */
import type { OwnRedis } from '../../infra/cache/redis/testing/server.ts';

import type { Fault } from './faults.ts';

export const cacheAway = {
  alert: 'CacheAway',
  how: 'the Redis that counts what accounts may ask is killed; it ends when it runs again',
  labels: { instance: 'embedded' },
} as const;

/** @param redis is there, and is the installation's */
export function cacheAwayOf(redis: OwnRedis): Fault {
  return {
    ...cacheAway,
    says: /embedded, once within 5 min/,
    settings: { CACHE_URL: redis.url },
    begin: async ({ running }) => {
      await redis.kill();
      // Whoever asks is answered all the same: what it may ask is counted without the cache.
      await running.staff.ask('{ __typename }');
      return () => redis.run();
    },
  };
}
