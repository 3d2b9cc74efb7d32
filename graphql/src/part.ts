/**
 * The gateway as a process: it calls the services over HTTP and keeps nothing. What happens it hears
 * from the bus; of the store it asks where the log ends, and no more.
 */
import { join } from 'node:path';

import { PROVIDER_ID } from '@bivouac/events/accounts';
import { openBus } from '@bivouac/infra/bus';
import { openCache } from '@bivouac/infra/cache';
import {
  callerOf,
  callerProblems,
  checkShared,
  Closing,
  listenForNews,
  openEntrance,
  openLog,
  type Part,
  type PartOptions,
  serveMetrics,
} from '@bivouac/infra/process';
import { type Clock, type Config, Health, type Logger, type Metrics } from '@bivouac/infra/runtime';

import { createGateway, type Gateway } from './gateway.ts';
import { ChangeNews } from './live/change-news.ts';

/** The gateway's part, with what tests look at. */
export interface GatewayPart extends Part {
  readonly gateway: Gateway;
}

/**
 * Starts a replica of the gateway. Resolves when it answers.
 *
 * @throws ConfigError, RuntimeError `misconfigured` or `unavailable`, saying what to change.
 */
export async function startGatewayPart(options: PartOptions): Promise<GatewayPart> {
  const { config, clock, logger } = options;
  checkShared(config, callerProblems(config));
  const closing = new Closing();
  const health = new Health({ logger, onFailure: options.onFailure });
  const onFailure = health.fail;
  return closing.opening(async () => {
    const entrance = await openEntrance(config, closing);
    const { metrics, url: metricsUrl } = await serveMetrics(
      { part: 'gateway', config, logger, ready: () => entrance.ready() },
      closing,
    );
    const caller = await callerOf(config, logger, metrics);
    closing.add(() => caller.close());
    const folder = join(config.DATA_DIR, 'services', 'gateway');
    const store = await openLog(config, folder, { logger, onFailure, metrics }, closing);
    const bus = await openBus({
      url: config.BUS_URL,
      relays: false,
      ...{ store, clock, logger, onFailure },
      tenantId: PROVIDER_ID,
    });
    closing.add(() => bus.close());
    const news = new ChangeNews();
    const stopListening = await listenForNews({
      bus,
      name: 'gateway',
      after: (await store.head()).position,
      onEvents: (events) => {
        news.hear(events);
      },
      onMissed: (upTo) => {
        news.missed(upTo);
      },
      onFailure,
    });
    closing.add(stopListening);
    const cache = cacheOf(config, clock, logger, metrics);
    closing.add(() => cache.close());
    const gateway = createGateway({
      ...{ caller, clock, logger, metrics },
      changes: news,
      budget: { cache, ...budgetOf(config) },
    });
    closing.add(() => gateway.dispose());
    entrance.open(
      (request, response) => gateway.handle(request, response),
      () => health.well,
    );
    // Before the server waits for its connections: they end by themselves only with what they follow.
    closing.add(() => {
      gateway.endSubscriptions();
    });
    return {
      ...{ gateway, url: entrance.url, metricsUrl, ready: () => entrance.ready() },
      stop: () => closing.close(),
    };
  });
}

/** Where it is counted what accounts may ask. */
export function cacheOf(config: Config, clock: Clock, logger: Logger, metrics: Metrics) {
  const outages = metrics.counter('cache_outages_total', {});
  return openCache({
    url: config.CACHE_URL,
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
