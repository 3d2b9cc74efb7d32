/** The node of a process: its agent, which may die by itself and is started again. */
import { type Agent, startAgent } from '@bivouac/agent';
import { LOCATION } from '@bivouac/all';
import type { NodeEndpoint } from '@bivouac/containers';
import { RegisterNode } from '@bivouac/containers/api';
import type { Host } from '@bivouac/infra/runtime';

import { openFence } from '../../../services/agent/src/fence/fence.ts';
import { webPackageFiles } from '../../../services/agent/src/package-files.ts';
import { StepAnswerSchema } from '../../../services/agent/src/step-answer.ts';
import type { Disk } from './disk.ts';
import { type Failpoint, Life } from './life.ts';
import { type EngineStep, mortalDriver, mortalFence, mortalFiles } from './ports.ts';
import { staff } from './staff.ts';

export interface NodeOptions {
  readonly disk: Disk;
  /** Of the process. */
  readonly life: Life;
  readonly endpoint: NodeEndpoint;
  readonly host: Host;
  readonly engineFault?: (step: EngineStep) => void;
  readonly agentDiesAt?: Failpoint | undefined;
}

/** Starts the node's agent, and another where it dies. */
export async function startNode(options: NodeOptions): Promise<Pick<Agent, 'stop'>> {
  const { disk, host, life } = options;
  const nodeId = (disk.nodeId ??= await registered(disk, host));
  let agent = await start(options.agentDiesAt);
  return { stop: () => agent.stop() };

  async function start(dieAt: Failpoint | undefined): Promise<Agent> {
    const own = new Life({ activity: disk.activity, dieAt, partOf: life });
    const connections: { close(): void }[] = [];
    void own.died.then(() =>
      life.ask(async () => {
        // What the kernel does for who is gone.
        for (const connection of connections) connection.close();
        await own.gone();
        agent = await start(undefined);
      }),
    );
    return agentOf({ ...options, nodeId, life: own, connections });
  }
}

async function agentOf(
  options: NodeOptions & {
    readonly nodeId: string;
    readonly connections: { close(): void }[];
  },
): Promise<Agent> {
  const { disk, life, endpoint, nodeId, connections } = options;
  const clock = life.clock(disk.clock);
  const driver = mortalDriver(disk.engine, life, options.engineFault ?? (() => undefined));
  const fence = await life.ask(async () => {
    const opened = await openFence(disk.fence, { answer: StepAnswerSchema });
    life.holds(() => opened.close());
    return opened;
  });
  return startAgent({
    ...{ nodeId, driver, clock, fence: mortalFence(fence, life) },
    files: mortalFiles(webPackageFiles({ clock }), life),
    connect: (receive) => {
      const connection = endpoint.connect(nodeId, receive);
      connections.push(connection);
      return Promise.resolve({
        send: (message) => {
          connection.receive(message);
        },
        close: () => {
          connection.close();
        },
      });
    },
    random: () => 0.5,
    log: () => undefined,
  });
}

/** Registers the node where it is not yet. */
async function registered(disk: Disk, host: Host): Promise<string> {
  const { engine, features, cpuMillis, memoryBytes, diskBytes } = await disk.engine.inventory();
  const reply = await host.command(
    RegisterNode,
    {
      ...{ name: 'fake-1', location: LOCATION, engine, features: [...features] },
      capacity: {
        ...{ containers: 4096, cpuMillis },
        memoryBytes: memoryBytes.toString(),
        diskBytes: diskBytes.toString(),
      },
    },
    { principal: staff, idempotencyKey: 'node' },
  );
  if (!reply.ok) throw new Error(reply.refusal.message);
  return reply.result.nodeId;
}
