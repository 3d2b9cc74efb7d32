/**
 * The whole system in one process: the embedded log, a bus, every service, an agent per node, the
 * gateway. Everything is kept in one folder.
 */
import './production.ts';

import { join } from 'node:path';

import { accountsService, erasedPersons } from '@bivouac/accounts';
import { CreateProvider } from '@bivouac/accounts/api';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { createGateway, type Gateway } from '@bivouac/graphql';
import { openBus } from '@bivouac/infra/bus';
import { openCache } from '@bivouac/infra/cache';
import { openEmbeddedStore } from '@bivouac/infra/event-store';
import {
  type Clock,
  type Config,
  folderSnapshots,
  Health,
  type Host,
  type Logger,
  openPorts,
  portsOfDataFolder,
  RuntimeError,
  startHost,
  systemPrincipal,
  viewSchemaOf,
} from '@bivouac/infra/runtime';
import { openSqliteViews, type ViewStore } from '@bivouac/infra/views';

import { ChangeNews } from './changes.ts';
import { embeddedLeft } from './checks/left.ts';
import { writableFolder } from './folder.ts';
import type { Installation, InstallationKind } from './installation.ts';
import { configuredNodes, startNodes } from './nodes.ts';
import { RELEASE } from './release.ts';
import { allServices, NodeNews } from './services.ts';

export interface EmbeddedOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once when something that must run has stopped: the process should end. */
  readonly onFailure: (error: unknown) => void;
  /** The provider's name, for an installation that has none yet. */
  readonly providerName?: string;
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
  const { config, clock, logger, onFailure } = options;
  const folder = config.DATA_DIR;
  const logFolder = config.EVENT_STORE_URL.slice('sqlite:'.length);
  // What can be said to be wrong is said before anything is made.
  const configured = configuredNodes(config.NODE_URL);
  await writableFolder(folder, 'DATA_DIR');
  await writableFolder(logFolder, 'EVENT_STORE_URL');
  await writableFolder(join(folder, 'views'), 'DATA_DIR');
  const closing: (() => Promise<void>)[] = [];
  try {
    return await open();
  } catch (error) {
    // What stopped the start is what the reader has to know.
    await closeAll(closing).catch(() => undefined);
    throw error;
  }

  async function open(): Promise<EmbeddedInstallation> {
    const health = new Health({ logger, onFailure });
    const store = await openEmbeddedStore({ folder: logFolder, onFailure: health.fail });
    closing.push(() => store.close());
    const ports = await openPorts(config);
    closing.push(() => ports.close());
    const bus = await openBus({
      url: config.BUS_URL,
      store,
      clock,
      logger,
      tenantId: PROVIDER_ID,
      onFailure: health.fail,
    });
    closing.push(() => bus.close());
    const views = new Map<string, ViewStore>();
    const viewOf = (name: string): ViewStore => {
      const definition = allServices.find((service) => service.name === name);
      if (definition === undefined) throw new RuntimeError('defect', `there is no service ${name}`);
      const file = join(folder, 'views', name);
      const view = openSqliteViews({ file, ...viewSchemaOf(definition, RELEASE) });
      views.set(name, view);
      return view;
    };
    closing.push(() => {
      for (const view of views.values()) view.close();
      return Promise.resolve();
    });

    const news = new NodeNews();
    const host = await startHost({
      services: news.tap(),
      store,
      bus,
      ports,
      clock,
      logger,
      onFailure,
      health,
      written: config.EVENT_VERSIONS,
      snapshots: await folderSnapshots({ folder: join(folder, 'snapshots') }),
      providerId: () => PROVIDER_ID,
      views: viewOf,
      // A folder of keys may be an older one, brought back: before anything is opened with it, it is
      // held against the log.
      caughtUp: async (view) => {
        for (const { person, purposes } of erasedPersons(view(accountsService.name))) {
          await ports.keys.destroy(person, purposes);
        }
      },
    });
    closing.push(() => host.stop(config.SHUTDOWN_MS));

    // Always asked for: the first time it makes the provider, ever after it says who it is.
    const provider = await host.command(
      CreateProvider,
      { name: options.providerName ?? 'Provider' },
      { principal: systemPrincipal('system:start', '', ''), idempotencyKey: 'provider' },
    );
    if (!provider.ok)
      throw new RuntimeError(
        'misconfigured',
        `The provider cannot be made: ${provider.refusal.message}`,
      );

    const nodes = await startNodes({
      host,
      configured,
      folder,
      clock,
      logger,
      provider: provider.result,
      news,
      sampleSeconds: config.USAGE_SAMPLE_SECONDS,
      listen: config.AGENT_LISTEN && {
        ...config.AGENT_LISTEN,
        tls:
          config.AGENT_TLS_CERT === undefined || config.AGENT_TLS_KEY === undefined
            ? undefined
            : { cert: config.AGENT_TLS_CERT, key: config.AGENT_TLS_KEY },
      },
    });
    closing.push(() => nodes.stop());
    const cache = openCache({
      url: config.CACHE_URL,
      clock,
      onOutage: (err) => {
        logger.warn({ err }, 'the cache is away: what accounts may ask is counted by each process');
      },
    });
    closing.push(() => cache.close());
    const gateway = createGateway({
      caller: host,
      changes: new ChangeNews(host.follower),
      clock,
      logger,
      budget: {
        cache,
        account: { capacity: config.COST_CAPACITY, perSecond: config.COST_PER_SECOND },
        staff: { capacity: config.STAFF_COST_CAPACITY, perSecond: config.STAFF_COST_PER_SECOND },
      },
    });
    closing.push(() => gateway.dispose());
    return {
      host,
      store,
      ports,
      gateway,
      nodes,
      provider: provider.result,
      stop: () => closeAll(closing),
    };
  }
}

/** In the reverse order of opening; what fails to close does not keep the others open. */
async function closeAll(closing: (() => Promise<void>)[]): Promise<void> {
  const problems: unknown[] = [];
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) {
    await close().catch((error: unknown) => problems.push(error));
  }
  if (problems.length > 0)
    throw new AggregateError(problems, 'not everything could be closed in order');
}
