/**
 * The whole system as one process on a disk: every service, the node endpoint and the node's agent,
 * composed as an installation in one process is, with everything outside reached through one life.
 */
import { randomUUID } from 'node:crypto';

import { tapped } from '@bivouac/all/services';
import { nodeCalls, nodeEndpoint, type NodeEndpoint } from '@bivouac/containers';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { embeddedBus } from '@bivouac/infra/bus';
import {
  createLogger,
  type Host,
  type ServiceDefinition,
  startHost,
  viewSchemaOf,
} from '@bivouac/infra/runtime';
import { memoryViews, type ViewStore } from '@bivouac/infra/views';

import { NodeNews } from '../../../services/all/src/endpoint/node-news.ts';
import type { Disk } from './disk.ts';
import { type Failpoint, Life } from './life.ts';
import { startNode } from './node.ts';
import { type EngineStep, mortalBus, mortalPorts, mortalStore } from './ports.ts';

export interface ProcessOptions {
  readonly dieAt?: Failpoint | undefined;
  readonly die?: (() => void) | undefined;
  /** Another composition of the services than the usual. */
  readonly services?: (services: readonly ServiceDefinition[]) => readonly ServiceDefinition[];
  /** Throws where a step of the engine is to fail. */
  readonly engineFault?: (step: EngineStep) => void;
  /** Where the agent alone dies, once, and another is started. */
  readonly agentDiesAt?: Failpoint | undefined;
  /** `none`: another process has the node's agent. */
  readonly agent?: 'none';
}

const logger = createLogger('silent', process.stderr);

export interface Running {
  readonly life: Life;
  readonly host: Host;
  readonly views: ReadonlyMap<string, ViewStore>;
  /** What must run and has stopped. */
  readonly failures: readonly unknown[];
  /** Orderly: what was done is written down. */
  stop(): Promise<void>;
}

/** Starts it. Undefined where it died before it was up. */
export async function startProcess(
  disk: Disk,
  options: ProcessOptions = {},
): Promise<{ readonly life: Life; readonly running: Running | undefined }> {
  const life = new Life({ activity: disk.activity, dieAt: options.dieAt, die: options.die });
  const dead = life.died.then(() => undefined);
  return { life, running: await Promise.race([start(disk, life, options), dead]) };
}

async function start(disk: Disk, life: Life, options: ProcessOptions): Promise<Running> {
  const clock = life.clock(disk.clock);
  const store = mortalStore(disk.store, life, disk.clock);
  const ports = mortalPorts(disk.ports, life);
  const news = new NodeNews();
  const usual = tapped(news);
  const services = options.services?.(usual) ?? usual;
  const bus = mortalBus(embeddedBus({ store, clock }), life, services);
  const failures: unknown[] = [];
  const views = new Map<string, ViewStore>();
  const host = await startHost({
    ...{ services, store, bus, ports, clock, logger },
    onFailure: (error) => failures.push(error),
    providerId: () => PROVIDER_ID,
    views: (name) => {
      const service = services.find((one) => one.name === name);
      const view = memoryViews(service && viewSchemaOf(service, 'sagas'));
      views.set(name, view);
      return view;
    },
    caughtUp: async (view) => {
      for (const { name, startup } of services) await startup?.caughtUp?.(view(name), ports);
    },
  });
  for (const { startup } of services)
    await startup?.started?.(host, { providerName: 'Saga Provider' });
  const endpoint = endpointOf(host, news, clock);
  const agent =
    options.agent === 'none'
      ? undefined
      : await startNode({ ...options, ...{ disk, life, endpoint, host } });
  return {
    ...{ life, host, views, failures },
    stop: async () => {
      await agent?.stop();
      await endpoint.close();
      await host.stop(10_000);
      await bus.close();
      life.kill();
      await life.gone();
    },
  };
}

function endpointOf(host: Host, news: NodeNews, clock: ReturnType<Life['clock']>): NodeEndpoint {
  return nodeEndpoint({
    ...nodeCalls(host),
    onNewInstruction: news.onInstruction,
    newId: randomUUID,
    log: () => undefined,
    clock,
  });
}
