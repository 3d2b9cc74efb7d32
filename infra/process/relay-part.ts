/**
 * The relay as a process: publishes the log to the bus. One is enough; a second does no harm, the store
 * lets only one of them get on.
 */
import { join } from 'node:path';

import { PROVIDER_ID } from '@bivouac/events/accounts';

import { openBus } from '../bus/index.ts';
import { Health } from '../runtime/index.ts';
import { Closing } from './closing.ts';
import { notFound, openEntrance } from './entrance.ts';
import { openLog } from './log.ts';
import { serveMetrics } from './metrics.ts';
import type { Part, PartOptions } from './part.ts';
import { checkShared } from './settings.ts';

/**
 * Starts it. Resolves when it publishes.
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
      { part: 'relay', config, logger, ready: () => entrance.ready() },
      closing,
    );
    const folder = join(config.DATA_DIR, 'services', 'relay');
    const store = await openLog(config, folder, { logger, onFailure, metrics }, closing);
    const bus = await openBus({
      url: config.BUS_URL,
      ...{ store, clock, logger, onFailure, metrics },
      tenantId: PROVIDER_ID,
    });
    closing.add(() => bus.close());
    entrance.open(notFound, () => health.well);
    return {
      url: entrance.url,
      metricsUrl,
      ready: () => entrance.ready(),
      stop: () => closing.close(),
    };
  });
}
