/**
 * The nodes of an embedded installation: each entry of NODE_URL is registered once and gets an agent,
 * connected in process by the same messages that a socket would carry.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  type Agent,
  type Dial,
  type Driver,
  type NodeInventory,
  openNode,
  parseDriverUrl,
} from '@bivouac/agent';
import { RegisterNode } from '@bivouac/containers/api';
import type { ServiceCaller } from '@bivouac/events/language';
import { idOf } from '@bivouac/events/values';
import {
  type Clock,
  type Logger,
  type Metrics,
  noMetrics,
  RuntimeError,
  systemClock,
  systemPrincipal,
} from '@bivouac/infra/runtime';
import { z } from 'zod';

import type { AgentListener, ListenAddress } from './endpoint/agent-listener.ts';
import { openAgents } from './endpoint/agents.ts';
import type { NodeNews } from './endpoint/node-news.ts';
import { ownAgent, throughGate } from './own-agent.ts';
import { skelDigest, skelPackages } from './seed/skel.ts';

export interface ConfiguredNode {
  readonly url: string;
  readonly name: string;
}

export interface RunningNode {
  readonly nodeId: string;
  readonly name: string;
}

export interface RunningNodes {
  readonly list: readonly RunningNode[];
  /** Containers that the engines have, whatever anybody else believes. */
  instances(): Promise<number>;
  /** Where agents of other processes connect, e.g. `ws://127.0.0.1:4100/agents`. */
  readonly endpoint: string | undefined;
  stop(): Promise<void>;
}

export interface NodesOptions {
  readonly host: ServiceCaller;
  readonly news: NodeNews;
  readonly metrics?: Metrics;
  readonly configured: readonly ConfiguredNode[];
  /** The data folder. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly provider: { readonly tenantId: string; readonly homeId: string };
  /** How far apart samples of use are. */
  readonly sampleSeconds: number;
  /** Where agents of other processes may connect; nowhere unless told. */
  readonly listen?: ListenAddress | undefined;
}

/** Where the embedded installation's nodes stand. */
export const LOCATION = 'local';

const RegistrationSchema = z.object({ nodeId: idOf('node') });

/** Opens, registers and connects every node. */
export async function startNodes(options: NodesOptions): Promise<RunningNodes> {
  const { host, logger, clock, news, metrics = noMetrics } = options;
  const entrance = openAgents({ caller: host, news, logger, metrics, clock });
  let listener: AgentListener | undefined;
  let nodes: ConnectedNodes | undefined;
  const stop = async (): Promise<void> => {
    await nodes?.stop();
    await entrance.close();
  };
  try {
    if (options.listen !== undefined) {
      listener = await entrance.listen(options.listen);
    }
    nodes = await connectNodes({ ...options, dial: throughGate(entrance.gate) });
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...nodes, endpoint: listener?.url, stop };
}

/** Nodes with their agents, without the endpoint that these talk to. */
export type ConnectedNodes = Omit<RunningNodes, 'endpoint'>;

/** Opens and registers every node, and connects its agent where `dial` leads. */
export async function connectNodes(
  options: Omit<NodesOptions, 'news' | 'listen' | 'metrics'> & { readonly dial: Dial },
): Promise<ConnectedNodes> {
  const { host, clock, logger, provider, dial } = options;
  // The engine takes real time to act, whatever the clock says that deadlines are held against.
  const agentClock: Clock = {
    now: () => clock.now(),
    sleep: (milliseconds, signal) => systemClock.sleep(milliseconds, signal),
  };
  const agents: Agent[] = [];
  const list: RunningNode[] = [];
  const drivers: Driver[] = [];
  const stop = async (): Promise<void> => {
    for (const agent of agents.splice(0)) await agent.stop();
  };
  try {
    for (const { url, name } of options.configured) {
      const folder = join(options.folder, 'nodes', name);
      const node = await openNode({
        url,
        name,
        folder,
        clock: systemClock,
        now: () => clock.now(),
        inventories: (digest) => (digest === skelDigest ? skelPackages : []),
      });
      const nodeId = await registered(folder, name, await node.driver.inventory(), host, provider);
      const log = logger.child({ node: name });
      const agent = await ownAgent({
        host,
        provider,
        nodeId,
        folder,
        node,
        dial,
        clock: agentClock,
        // Counters go by the time that is told, so that a test can let an hour pass.
        metering: { clock, everyMs: options.sampleSeconds * 1000 },
        log: (level, facts, message) => {
          log[level](facts, message);
        },
      });
      if (agent === undefined) continue;
      agents.push(agent);
      list.push({ nodeId, name });
      drivers.push(node.driver);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const instances = async (): Promise<number> => {
    const lists = await Promise.all(drivers.map((driver) => driver.list()));
    return lists.flat().length;
  };
  return { list, instances, stop };
}

/** The node's id: kept beside its engine, since what a node has may change between starts. */
async function registered(
  folder: string,
  name: string,
  inventory: NodeInventory,
  host: ServiceCaller,
  provider: NodesOptions['provider'],
): Promise<string> {
  const file = join(folder, 'node.json');
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined) return RegistrationSchema.parse(JSON.parse(known)).nodeId;
  const principal = systemPrincipal('system:nodes', provider.tenantId, provider.homeId);
  const reply = await host.command(
    RegisterNode,
    {
      name,
      location: LOCATION,
      engine: inventory.engine,
      features: [...inventory.features],
      capacity: {
        containers: 4096,
        cpuMillis: inventory.cpuMillis,
        memoryBytes: inventory.memoryBytes.toString(),
        diskBytes: inventory.diskBytes.toString(),
      },
    },
    { principal, idempotencyKey: `node:${name}` },
  );
  if (!reply.ok) {
    throw new RuntimeError(
      'misconfigured',
      `The node ${name} cannot be registered: ${reply.refusal.message}`,
    );
  }
  const { nodeId } = reply.result;
  await mkdir(folder, { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify({ nodeId }));
  await rename(`${file}.new`, file);
  return nodeId;
}

/** A comma ends a URL only before the next one: a fake node's options have commas of their own. */
const BETWEEN_URLS = /,(?=\s*(?:fake|lxd\+unix|https):)/;

/**
 * What NODE_URL says. One name per node: the engine's kind and a number over all. Throws a
 * DriverUrlError that names every problem of the first URL that has any.
 */
export function configuredNodes(urls: string): readonly ConfiguredNode[] {
  const nodes: ConfiguredNode[] = [];
  for (const url of urls.split(BETWEEN_URLS).map((text) => text.trim())) {
    const config = parseDriverUrl(url);
    for (let i = 0; i < config.nodes; i++)
      nodes.push({ url, name: `${config.kind}-${nodes.length + 1}` });
  }
  return nodes;
}
