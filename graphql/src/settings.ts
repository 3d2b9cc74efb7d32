/** What the settings say to a gateway, whichever process it is in. */
import { type Cache, openCache } from '@bivouac/infra/cache';
import type { Clock, Config, Logger, Metrics } from '@bivouac/infra/runtime';

/**
 * What gateways share for speed, and where it is counted what accounts may ask.
 *
 * @param how `installation`: the epoch of the log.
 */
export function cacheOf(
  config: Pick<Config, 'CACHE_URL'>,
  how: {
    readonly installation: string;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly metrics: Metrics;
  },
): Promise<Cache> {
  const { installation, clock, logger, metrics } = how;
  const outages = metrics.counter('cache_outages_total', {});
  return openCache({
    ...{ url: config.CACHE_URL, installation, clock },
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
