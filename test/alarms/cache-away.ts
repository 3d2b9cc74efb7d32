/** The cache is away: a Redis that is killed. Of the live tests alone, which may need servers. */
import type { OwnRedis } from '../../infra/cache/redis/testing/server.ts';

import type { Fault } from './faults.ts';

/** @param redis is there, and is the installation's */
export function cacheAway(redis: OwnRedis): Fault {
  return {
    alert: 'CacheAway',
    how: 'the Redis that counts what accounts may ask is killed; it ends when it runs again',
    labels: { instance: 'embedded' },
    says: /embedded, once within 5 min/,
    settings: { CACHE_URL: redis.url },
    begin: async ({ running }) => {
      await redis.kill();
      // Whoever asks is answered all the same: what it may ask is counted without the cache.
      await running.container('ctr_none').catch(() => undefined);
      return () => redis.run();
    },
  };
}
