/**
 * Where agents come in: the gate that asks who they are, and the endpoint that they talk to. Both call
 * the services as the node that is connected, wherever those are.
 */
import { randomBytes, randomUUID } from 'node:crypto';

import {
  nodeCalls,
  type NodeEndpoint,
  nodeEndpoint,
  type NodeEndpointOptions,
  type NodeGate,
  nodeGate,
} from '@bivouac/containers';
import type { ServiceCaller } from '@bivouac/events/language';
import { type Clock, type Logger, type Metrics, systemClock } from '@bivouac/infra/runtime';

import { type AgentListener, type ListenAddress, listenForAgents } from './agent-listener.ts';
import { measureNodes } from './measured-nodes.ts';
import type { NodeNews } from './node-news.ts';
import { usageRecorder } from './usage.ts';

export interface AgentsOptions {
  readonly caller: ServiceCaller;
  readonly news: NodeNews;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** For how long a node is away. */
  readonly clock: Clock;
}

export interface Agents {
  readonly gate: NodeGate;
  readonly endpoint: NodeEndpoint;
  /** Lets agents of other processes and machines connect. */
  listen(address: ListenAddress): Promise<AgentListener>;
  /** Tells every agent to come back, and takes nothing more; ends when what was taken is recorded. */
  close(): Promise<void>;
}

export function openAgents({ caller, news, logger, metrics, clock }: AgentsOptions): Agents {
  const asked: Pick<NodeEndpointOptions, 'command' | 'query' | 'log' | 'newId'> = {
    ...nodeCalls(caller),
    newId: randomUUID,
    log: (level, facts, message) => {
      logger[level](facts, message);
    },
  };
  const endpoint = nodeEndpoint({
    ...asked,
    recordUsage: usageRecorder(asked),
    onNewInstruction: news.onInstruction,
    clock: systemClock,
  });
  const gate = nodeGate({
    ...{ endpoint, command: asked.command, query: asked.query, log: asked.log },
    onRevoked: news.onRevoked,
    clock: systemClock,
    random: randomBytes,
  });
  const endMeasuring = measureNodes(endpoint, clock, metrics);
  let listener: AgentListener | undefined;
  return {
    ...{ gate, endpoint },
    listen: async (address) => {
      listener = await listenForAgents({ ...address, gate, clock: systemClock });
      logger.info({ url: listener.url }, 'agents may connect');
      return listener;
    },
    close: async () => {
      endMeasuring();
      gate.close();
      await endpoint.close();
      await listener?.close();
    },
  };
}
