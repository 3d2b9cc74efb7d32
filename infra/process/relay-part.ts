/**
 * The relay as a process: publishes the log to the bus. One is enough; a second does no harm, the store
 * lets only one of them get on. With a cache that they share the second waits to take over.
 */
import { join } from 'node:path';

import { PROVIDER_ID } from '@bivouac/events/accounts';

import { openBus, watchRelay } from '../bus/index.ts';
import { openCacheEngine } from '../cache/index.ts';
import { Health, systemClock } from '../runtime/index.ts';
import { Closing } from './closing.ts';
import { notFound, openEntrance } from './entrance.ts';
import { openLog } from './log.ts';
import { serveMetrics } from './metrics.ts';
import type { Part, PartOptions } from './part.ts';
import { checkShared } from './settings.ts';
import { Turns } from './turns.ts';

/**
 * Starts it. Resolves when it publishes, or waits because another one does.
 *
 * @throws ConfigError, RuntimeError `misconfigured` or `unavailable`, saying what to change.
 */
export async function startRelayPart(options: PartOptions): Promise<Part> {
  const { config, clock, logger } = options;
  checkShared(config);
  const closing = new Closing();
  const health = new Health({ logger, onFailure: options.onFailure });
  const onFailure = health.fail;
  return closing.opening(async () => {
    const entrance = await openEntrance(config, closing);
    const { metrics, url: metricsUrl } = await serveMetrics(
      { part: 'relay', config, clock, logger, log: config, ready: () => entrance.ready() },
      closing,
    );
    const folder = join(config.DATA_DIR, 'services', 'relay');
    const store = await openLog(config, folder, { logger, onFailure, metrics }, closing);
    const publish = async () => {
      const bus = await openBus({
        url: config.BUS_URL,
        ...{ store, clock, logger, onFailure, metrics },
        tenantId: PROVIDER_ID,
      });
      return { stop: () => bus.close() };
    };
    if (config.CACHE_URL === 'memory:') {
      const publishing = await publish();
      closing.add(() => publishing.stop());
    } else {
      const { epoch: installation } = await store.head();
      const cache = await openCacheEngine({ url: config.CACHE_URL, installation, clock });
      closing.add(() => cache.close());
      // Whatever time is told inside, leases and connections go by the machine's.
      const network = systemClock;
      const turns = await Turns.start({
        ...{ cache, logger, onFailure, network },
        stalled: await watchRelay({ url: config.BUS_URL, store, network }),
        name: 'relay',
        begin: publish,
      });
      closing.add(() => turns.stop());
    }
    entrance.open(notFound, () => health.well);
    return {
      url: entrance.url,
      metricsUrl,
      ready: () => entrance.ready(),
      stop: () => closing.close(),
    };
  });
}
