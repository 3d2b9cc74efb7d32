/**
 * One service as a process: its read model beside it, its reactions in the group of all its replicas,
 * its commands and queries behind an HTTP server. What replicas share is the store, the bus and the
 * keys, secrets and blobs.
 */
import { join } from 'node:path';

import { PROVIDER_ID } from '@bivouac/events/accounts';

import { openBus } from '../bus/index.ts';
import { serveCalls } from '../calls/index.ts';
import type { EventStore } from '../event-store/port.ts';
import {
  folderSnapshots,
  Health,
  type Host,
  openPorts,
  type ServiceDefinition,
  startHost,
  systemClock,
} from '../runtime/index.ts';
import { Closing } from './closing.ts';
import { openEntrance } from './entrance.ts';
import { writableFolder } from './folder.ts';
import { lockFolder } from './folder-lock.ts';
import { openLog } from './log.ts';
import { serveMetrics } from './metrics.ts';
import type { Part, PartOptions } from './part.ts';
import { checkShared, trustedBy, trustProblems } from './settings.ts';
import { processViews } from './views.ts';

/** A service's part, with what tests and harnesses look at. */
export interface ServicePart extends Part {
  readonly host: Host;
  readonly store: EventStore;
}

/**
 * Starts a replica of a service. Resolves when it answers and reacts.
 *
 * @throws ConfigError, RuntimeError `misconfigured` or `unavailable`, saying what to change.
 */
export async function startServicePart(
  definition: ServiceDefinition,
  options: PartOptions,
): Promise<ServicePart> {
  const { config, clock, logger } = options;
  const { name } = definition;
  checkShared(config, trustProblems(config));
  const trusted = await trustedBy(config);
  const closing = new Closing();
  const health = new Health({ logger, onFailure: options.onFailure });
  const onFailure = health.fail;
  return closing.opening(async () => {
    const entrance = await openEntrance(config, closing);
    const { metrics, url: metricsUrl } = await serveMetrics(
      { part: name, config, clock, logger, log: config, ready: () => entrance.ready() },
      closing,
    );
    const folder = config.DATA_DIR;
    const own = join(folder, 'services', name);
    await writableFolder(own, 'DATA_DIR');
    closing.add(
      await lockFolder(
        own,
        'service',
        `A replica of ${name} has its read model there: give each replica a DATA_DIR of its own.`,
      ),
    );
    const views = await processViews(folder, [definition]);
    closing.add(() => {
      views.close();
    });
    const store = await openLog(config, own, { logger, onFailure, metrics }, closing);
    const ports = await openPorts(config);
    closing.add(() => ports.close());
    const bus = await openBus({
      url: config.BUS_URL,
      relays: false,
      ...{ store, clock, logger, onFailure },
      tenantId: PROVIDER_ID,
    });
    closing.add(() => bus.close());
    const known = new Set(definition.events.map(({ type }) => type));
    const host = await startHost({
      services: [definition],
      ...{ store, bus, ports, clock, logger, onFailure, health, metrics },
      // All processes have the same settings: what is said of others' events is theirs.
      written: new Map([...config.EVENT_VERSIONS].filter(([type]) => known.has(type))),
      snapshots: await folderSnapshots({ folder: join(own, 'snapshots') }),
      providerId: () => PROVIDER_ID,
      views: (service) => views.open(service),
      caughtUp: async (view) => definition.startup?.caughtUp?.(view(name), ports),
    });
    closing.add(() => host.stop(config.SHUTDOWN_MS));
    await definition.startup?.started?.(host, { providerName: config.PROVIDER_NAME });
    const calls = serveCalls({
      service: name,
      contracts: [...definition.commands, ...definition.queries].map(({ contract }) => contract),
      caller: host,
      ...{ trusted, logger, clock: systemClock },
    });
    entrance.open(calls, () => host.ready());
    // Whoever calls is sent to another replica, and what was taken is finished.
    closing.add(() => calls.stop(config.SHUTDOWN_MS));
    return {
      ...{ host, store, url: entrance.url, metricsUrl, ready: () => entrance.ready() },
      stop: () => closing.close(),
    };
  });
}
