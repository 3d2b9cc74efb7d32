/** `npm run agent`: the agent of one node as a process of its own, until it is told to stop. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  type Config,
  ConfigError,
  createLogger,
  readConfig,
  systemClock as hostClock,
} from '@bivouac/infra/runtime';
import { Closing, lockFolder, serveMetrics } from '@bivouac/infra/process';
import { startTracing } from '@bivouac/infra/tracing';

import { type Agent, type AgentOptions, startAgent } from './agent.ts';
import { systemClock } from './driver-clock.ts';
import { parseDriverUrl } from './driver-config.ts';
import { enteringAs } from './entering.ts';
import { openIdentity } from './identity.ts';
import { measureAgent, measuredDriver } from './measures.ts';
import { startMetering } from './metering/metering.ts';
import { openNode } from './node.ts';
import { dialing } from './socket.ts';

async function main(): Promise<void> {
  const config = readConfig();
  const { AGENT_DIR: folder, AGENT_ENDPOINT: url } = config;
  if (url === undefined)
    throw new ConfigError([
      'AGENT_ENDPOINT: expected the endpoint to connect to (see .env.example)',
    ]);
  if (parseDriverUrl(config.NODE_URL).nodes !== 1)
    throw new ConfigError(['NODE_URL: expected one node, an agent has no more (see .env.example)']);
  const logger = createLogger(config.LOG_LEVEL);
  const tracing = await startTracing(config, 'bivouac-agent', logger);
  const stopping = new Promise<undefined>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        resolve(undefined);
      });
  });

  await mkdir(folder, { recursive: true, mode: 0o700 });
  await lockFolder(folder, 'agent', 'Stop it, or set AGENT_DIR to a folder of this agent’s own.');
  const identity = await openIdentity({
    folder: join(folder, 'identity'),
    token: await tokenOf(config),
  });
  const { nodeId } = identity;
  const closing = new Closing();
  let connected = (): boolean => false;
  // Nothing listens on a node unless it is said to.
  const { METRICS_LISTEN = 'off', PORT } = config;
  const { metrics } = await serveMetrics(
    {
      config: { METRICS_LISTEN, PORT },
      ...{ part: 'agent', logger, log: undefined },
      ready: () => connected(),
    },
    closing,
  );
  const measures = measureAgent(metrics, () => hostClock.now());
  connected = measures.isConnected;
  const opened = await openNode({ url: config.NODE_URL, name: nodeId, folder, clock: systemClock });
  const node = { ...opened, driver: measuredDriver(opened.driver, metrics) };
  const ca = config.AGENT_CA === undefined ? {} : { ca: await readFile(config.AGENT_CA, 'utf8') };
  const log: AgentOptions['log'] = (level, facts, message) => {
    logger[level](facts, message);
  };
  const metering = await startMetering({
    driver: node.driver,
    folder: join(folder, 'usage'),
    clock: systemClock,
    everyMs: config.USAGE_SAMPLE_SECONDS * 1000,
    newId: randomUUID,
    log,
  });
  const starting = startAgent({
    nodeId,
    ...node,
    clock: systemClock,
    connect: enteringAs(identity, dialing({ url, clock: hostClock, ...ca })),
    random: Math.random,
    ...{ metering, measures },
    start: 'await-endpoint',
    log,
  });
  let agent: Agent | undefined;
  try {
    agent = await Promise.race([starting, stopping]);
  } catch (error) {
    // It was not let in: what stands already would keep the process.
    await metering.stop();
    await node.fence.close();
    await node.driver.close();
    throw error;
  }
  // Nothing was ordered yet that would have to be put in order.
  if (agent === undefined) process.exit(0);
  console.log(`The agent of ${nodeId} is connected to ${url}.`);
  const dismissal = await Promise.race([agent.dismissed, stopping]);
  await agent.stop();
  await closing.close();
  await tracing.stop(config.SHUTDOWN_MS);
  if (dismissal !== undefined) throw new Error(`${dismissal.message} (${dismissal.reason})`);
}

async function tokenOf({ AGENT_TOKEN_FILE }: Config): Promise<string | undefined> {
  if (AGENT_TOKEN_FILE === undefined) return undefined;
  return (await readFile(AGENT_TOKEN_FILE, 'utf8')).trim();
}

main()
  .catch((error: unknown) => {
    console.error(
      `\nThe agent cannot run: ${error instanceof Error ? error.message : String(error)}`,
    );
    process.exitCode = 1;
  })
  .finally(() => {
    // A connection to a collector that does not answer would keep the process.
    process.exit();
  });
