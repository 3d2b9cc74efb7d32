/**
 * The endpoint of agents as a process: an edge like the gateway. It calls containers and quotas as the
 * nodes that are connected, keeps nothing, and hears from the bus when there is something for one.
 */
import { join } from 'node:path';

import { PROVIDER_ID } from '@bivouac/events/accounts';
import { openBus } from '@bivouac/infra/bus';
import {
  callerOf,
  callerProblems,
  checkShared,
  Closing,
  listenForNews,
  notFound,
  openEntrance,
  openLog,
  type Part,
  type PartOptions,
  serveMetrics,
} from '@bivouac/infra/process';
import { ConfigError, Health } from '@bivouac/infra/runtime';

import { openAgents } from './agents.ts';
import { hearing } from './hearing.ts';
import { NodeNews } from './node-news.ts';

/** The endpoint's part. */
export interface EndpointPart extends Part {
  /** Where agents connect, e.g. `ws://127.0.0.1:4100/agents`. */
  readonly endpoint: string;
}

const NO_ADDRESS = 'AGENT_LISTEN: expected where agents may connect, e.g. 4100 (see .env.example)';

/**
 * Starts a replica of the endpoint. Resolves when agents can connect.
 *
 * @throws ConfigError, RuntimeError `misconfigured` or `unavailable`, saying what to change.
 */
export async function startEndpointPart(options: PartOptions): Promise<EndpointPart> {
  const { config, clock, logger } = options;
  const { AGENT_LISTEN: address, AGENT_TLS_CERT: cert, AGENT_TLS_KEY: key } = config;
  checkShared(config, [...callerProblems(config), ...(address === undefined ? [NO_ADDRESS] : [])]);
  if (address === undefined) throw new ConfigError([NO_ADDRESS]);
  const closing = new Closing();
  const health = new Health({ logger, onFailure: options.onFailure });
  const onFailure = health.fail;
  return closing.opening(async () => {
    const entrance = await openEntrance(config, closing);
    const { metrics, url: metricsUrl } = await serveMetrics(
      { part: 'endpoint', config, clock, logger, log: config, ready: () => entrance.ready() },
      closing,
    );
    const caller = await callerOf(config, logger, metrics);
    closing.add(() => caller.close());
    const folder = join(config.DATA_DIR, 'services', 'endpoint');
    const store = await openLog(config, folder, { logger, onFailure, metrics }, closing);
    const bus = await openBus({
      url: config.BUS_URL,
      relays: false,
      ...{ store, clock, logger, onFailure },
      tenantId: PROVIDER_ID,
    });
    closing.add(() => bus.close());
    const news = new NodeNews();
    const agents = openAgents({ caller, news, logger, metrics, clock });
    closing.add(() => agents.close());
    const stopListening = await listenForNews({
      bus,
      name: 'endpoint',
      after: (await store.head()).position,
      ...hearing(news, agents),
      onFailure,
    });
    closing.add(stopListening);
    const tls = cert === undefined || key === undefined ? undefined : { cert, key };
    const { url: endpoint } = await agents.listen({ ...address, tls });
    entrance.open(notFound, () => health.well);
    return {
      ...{ endpoint, url: entrance.url, metricsUrl, ready: () => entrance.ready() },
      stop: () => closing.close(),
    };
  });
}
