/**
 * The gateway as a process: it calls the services over HTTP and keeps nothing. What happens it hears
 * from the bus; of the store it asks where the log ends, and no more.
 */
import { join } from 'node:path';

import { PROVIDER_ID } from '@bivouac/events/accounts';
import type { Position } from '@bivouac/events/language';
import { openBus } from '@bivouac/infra/bus';
import { openCacheEngine } from '@bivouac/infra/cache';
import {
  callerOf,
  callerProblems,
  checkShared,
  Closing,
  listenForNews,
  listenTogether,
  openEntrance,
  openLog,
  type Part,
  type PartOptions,
  serveMetrics,
  type Told,
} from '@bivouac/infra/process';
import { Health, systemClock } from '@bivouac/infra/runtime';

import { createGateway, type Gateway } from './gateway.ts';
import { ChangeNews } from './live/change-news.ts';
import { KnownPositions } from './live/known-positions.ts';
import { budgetOf, cacheOf } from './settings.ts';

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
      { part: 'gateway', config, clock, logger, log: config, ready: () => entrance.ready() },
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
    const head = await store.head();
    const { epoch: installation } = head;
    const news = new ChangeNews();
    // Whatever time is told inside, how long news may be late goes by the machine's.
    const positions = new KnownPositions(head.position ?? '', systemClock);
    const how = {
      ...{ bus, name: 'gateway', onFailure },
      onEvents: (events: readonly Told[]) => {
        positions.hear(events);
        news.hear(events);
      },
      onMissed: (upTo: Position | undefined) => {
        positions.missed(upTo);
        news.missed(upTo);
      },
    };
    // One connection for both: the news fail while it is away, so that each gateway listens by itself; what
    // is counted and remembered never does.
    const engine = await openCacheEngine({ url: config.CACHE_URL, installation, clock });
    closing.add(() => engine.close());
    if (config.CACHE_URL === 'memory:') {
      closing.add(await listenForNews({ ...how, after: head.position }));
    } else {
      const listening = await listenTogether({
        ...{ ...how, cache: engine, logger },
        head: async () => (await store.head()).position,
      });
      closing.add(() => listening.stop());
    }
    const cache = cacheOf(engine, { clock, logger, metrics });
    const gateway = createGateway({
      ...{ caller, clock, machine: systemClock, logger, metrics },
      changes: news,
      budget: { cache, ...budgetOf(config) },
      // As it is: where it is away this gateway counts by itself.
      seats: config.CACHE_URL === 'memory:' ? undefined : engine,
      remembered: config.CACHE_URL === 'memory:' ? undefined : { cache, positions },
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
