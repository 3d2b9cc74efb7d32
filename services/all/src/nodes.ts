/**
 * The nodes of an embedded installation: each entry of NODE_URL is registered once and gets an agent,
 * connected in process by the same messages that a socket would carry.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  type Agent,
  type Driver,
  type NodeInventory,
  openNode,
  parseDriverUrl,
  startAgent,
} from '@bivouac/agent';
import { nodeEndpoint } from '@bivouac/containers';
import { NodeById, RegisterNode } from '@bivouac/containers/api';
import type { Principal } from '@bivouac/events/language';
import { idOf } from '@bivouac/events/values';
import {
  type Clock,
  type Host,
  type Logger,
  RuntimeError,
  systemClock,
  systemPrincipal,
} from '@bivouac/infra/runtime';
import { z } from 'zod';

import { skelDigest, skelPackages } from './seed/skel.ts';
import type { InstructionNews } from './services.ts';

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
  stop(): Promise<void>;
}

export interface NodesOptions {
  readonly host: Host;
  readonly news: InstructionNews;
  readonly configured: readonly ConfiguredNode[];
  /** The data folder. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly provider: { readonly tenantId: string; readonly homeId: string };
}

/** Where the embedded installation's nodes stand. */
export const LOCATION = 'local';

const RegistrationSchema = z.object({ nodeId: idOf('node') });

/** Opens, registers and connects every node. */
export async function startNodes(options: NodesOptions): Promise<RunningNodes> {
  const { host, clock, logger, provider } = options;
  const asNode = (nodeId: string): Principal => ({
    id: `node:${nodeId}`,
    kind: 'node',
    ...provider,
    reach: 'all',
    rights: 'all',
    audience: 'staff',
  });
  const endpoint = nodeEndpoint({
    command: (nodeId, contract, input, idempotencyKey) =>
      host.command(contract, input, { principal: asNode(nodeId), idempotencyKey }),
    query: (nodeId, contract, input, atLeast) =>
      host.query(contract, input, { principal: asNode(nodeId), atLeast }),
    onNewInstruction: options.news.listen,
    clock: systemClock,
    newId: randomUUID,
    log: (level, facts, message) => {
      logger[level](facts, message);
    },
  });
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
    await endpoint.close();
  };
  try {
    for (const { url, name } of options.configured) {
      const folder = join(options.folder, 'nodes', name);
      const { driver, fence } = await openNode({
        url,
        name,
        folder,
        clock: systemClock,
        inventories: (digest) => (digest === skelDigest ? skelPackages : []),
      });
      const nodeId = await registered(folder, name, await driver.inventory(), host, provider);
      const log = logger.child({ node: name });
      agents.push(
        await startAgent({
          nodeId,
          driver,
          fence,
          clock: agentClock,
          connect: (receive) => {
            const connection = endpoint.connect(nodeId, receive);
            return Promise.resolve({
              send: (message) => {
                connection.receive(message);
              },
              close: () => {
                connection.close();
              },
            });
          },
          log: (level, facts, message) => {
            log[level](facts, message);
          },
        }),
      );
      list.push({ nodeId, name });
      drivers.push(driver);
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
  host: Host,
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
  // Its agent says hello next, and an endpoint whose read model has not seen the node yet turns it
  // away for good.
  const { nodeId } = reply.result;
  const seen = await host.query(NodeById, { nodeId }, { principal, atLeast: reply.position });
  if (!seen.ok) {
    throw new RuntimeError(
      'unavailable',
      `The node ${name} is registered and not to be read yet: ${seen.refusal.message} Start again.`,
    );
  }
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
