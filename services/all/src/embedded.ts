/**
 * The whole system in one process: the embedded log, a bus, every service, an agent per node, the
 * gateway. Everything is kept in one folder.
 */
import '@bivouac/graphql/production';

import { join } from 'node:path';

import { PROVIDER_ID } from '@bivouac/events/accounts';
import {
  budgetOf,
  cacheOf,
  ChangeNews,
  createGateway,
  type Gateway,
  KnownPositions,
} from '@bivouac/graphql';
import { type Bus, openBus } from '@bivouac/infra/bus';
import { openCacheEngine } from '@bivouac/infra/cache';
import { type EventStore, measuredStore, openEventStore } from '@bivouac/infra/event-store';
import { Closing, processViews, writableFolder } from '@bivouac/infra/process';
import {
  type Clock,
  type Config,
  folderSnapshots,
  Health,
  type Host,
  type Logger,
  type Metrics,
  noMetrics,
  openPorts,
  portsOfDataFolder,
  startHost,
} from '@bivouac/infra/runtime';

import { embeddedLeft } from './checks/left.ts';
import { NodeNews } from './endpoint/node-news.ts';
import type { Installation, InstallationKind } from './installation.ts';
import { configuredNodes, startNodes } from './nodes.ts';
import { allServices, tapped } from './services.ts';

export interface EmbeddedOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once when something that must run has stopped: the process should end. */
  readonly onFailure: (error: unknown) => void;
  /** The provider's name, for an installation that has none yet. */
  readonly providerName?: string;
  readonly metrics?: Metrics;
  /** Stands before the log or the bus as everything here has them: for tests, in which they fail. */
  readonly before?: {
    readonly store?: (store: EventStore) => EventStore;
    readonly bus?: (bus: Bus) => Bus;
  };
}

/** An installation in this process, with its own parts to look into. */
export interface EmbeddedInstallation extends Installation {
  readonly host: Host;
  readonly gateway: Gateway;
}

/** Installations in this process, of these settings. */
export function embedded(config: Config): InstallationKind {
  return {
    start: ({ folder, changes, ...how }) =>
      startEmbedded({
        config: {
          ...{ ...config, ...portsOfDataFolder },
          ...{ DATA_DIR: folder, EVENT_STORE_URL: `sqlite:${folder}` },
          ...changes,
        },
        ...how,
      }),
    left: embeddedLeft,
  };
}

/** Opens what is in the data folder and starts everything on it. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedInstallation> {
  const { config, clock, logger, onFailure, metrics = noMetrics, before = {} } = options;
  const folder = config.DATA_DIR;
  // What can be said to be wrong is said before anything is made.
  const configured = configuredNodes(config.NODE_URL);
  await writableFolder(folder, 'DATA_DIR');
  if (config.EVENT_STORE_URL.startsWith('sqlite:')) {
    await writableFolder(config.EVENT_STORE_URL.slice('sqlite:'.length), 'EVENT_STORE_URL');
  }
  const closing = new Closing();
  return closing.opening(open);

  async function open(): Promise<EmbeddedInstallation> {
    const health = new Health({ logger, onFailure });
    const opened = await openEventStore({
      url: config.EVENT_STORE_URL,
      folder: join(folder, 'event-store'),
      onFailure: health.fail,
      logger,
    });
    const store = measuredStore(before.store?.(opened) ?? opened, metrics);
    closing.add(() => store.close());
    const ports = await openPorts(config);
    closing.add(() => ports.close());
    const openedBus = await openBus({
      url: config.BUS_URL,
      store,
      clock,
      logger,
      tenantId: PROVIDER_ID,
      metrics,
      onFailure: health.fail,
    });
    const bus = before.bus?.(openedBus) ?? openedBus;
    closing.add(() => bus.close());
    const news = new NodeNews();
    const services = tapped(news);
    // Of the services as they are: who listens besides writes no rows.
    const views = await processViews(folder, allServices);
    closing.add(() => {
      views.close();
    });
    const host = await startHost({
      services,
      store,
      bus,
      ports,
      clock,
      logger,
      onFailure,
      health,
      metrics,
      written: config.EVENT_VERSIONS,
      snapshots: await folderSnapshots({ folder: join(folder, 'snapshots') }),
      providerId: () => PROVIDER_ID,
      views: (service) => views.open(service),
      caughtUp: async (view) => {
        for (const { name, startup } of services) await startup?.caughtUp?.(view(name), ports);
      },
    });
    closing.add(() => host.stop(config.SHUTDOWN_MS));

    const providerName = options.providerName ?? config.PROVIDER_NAME;
    for (const { startup } of services) await startup?.started?.(host, { providerName });
    const provider = { tenantId: PROVIDER_ID, homeId: PROVIDER_ID };

    const nodes = await startNodes({
      host,
      configured,
      folder,
      clock,
      logger,
      provider,
      news,
      metrics,
      sampleSeconds: config.USAGE_SAMPLE_SECONDS,
      listen: config.AGENT_LISTEN && {
        ...config.AGENT_LISTEN,
        tls:
          config.AGENT_TLS_CERT === undefined || config.AGENT_TLS_KEY === undefined
            ? undefined
            : { cert: config.AGENT_TLS_CERT, key: config.AGENT_TLS_KEY },
      },
    });
    closing.add(() => nodes.stop());
    const { epoch: installation, position } = await store.head();
    const engine = await openCacheEngine({ url: config.CACHE_URL, installation, clock });
    closing.add(() => engine.close());
    const cache = cacheOf(engine, { clock, logger, metrics });
    const changes = new ChangeNews();
    const positions = new KnownPositions(position ?? '', clock);
    host.follower.onApplied((_position, events) => {
      positions.hear(events);
      changes.hear(events);
    });
    const gateway = createGateway({
      caller: host,
      changes,
      clock,
      logger,
      metrics,
      budget: { cache, ...budgetOf(config) },
      // In one process a query costs less than keeping its answer; gateways of several share them.
      remembered: config.CACHE_URL === 'memory:' ? undefined : { cache, positions },
    });
    closing.add(() => gateway.dispose());
    return {
      host,
      store,
      ports,
      gateway,
      nodes,
      provider,
      stop: () => closing.close(),
    };
  }
}
