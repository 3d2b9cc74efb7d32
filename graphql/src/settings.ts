/** What the settings say to a gateway, whichever process it is in. */
import { type Cache, survivingCache } from '@bivouac/infra/cache';
import type { Clock, Config, Logger, Metrics } from '@bivouac/infra/runtime';

/**
 * What gateways share for speed, and where it is counted what accounts may ask. It lasts as long as the
 * engine, which is the caller's to close.
 */
export function cacheOf(
  engine: Cache,
  how: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
): Cache {
  const { clock, logger, metrics } = how;
  const outages = metrics.counter('cache_outages_total', {});
  return survivingCache(engine, {
    clock,
    onOutage: (err) => {
      outages.add();
      logger.warn({ err }, 'the cache is away: what accounts may ask is counted by each process');
    },
  });
}

/** What accounts and the staff may ask. */
export function budgetOf(config: Config) {
  return {
    account: { capacity: config.COST_CAPACITY, perSecond: config.COST_PER_SECOND },
    staff: { capacity: config.STAFF_COST_CAPACITY, perSecond: config.STAFF_COST_PER_SECOND },
  };
}
