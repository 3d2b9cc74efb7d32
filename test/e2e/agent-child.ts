/**
 * An agent as `npm run agent` composes it, that kills itself at one point of its work: `DIES` says
 * where. Each point is a line of the agent after which a power cut would find other files.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import {
  type AgentOptions,
  dialing,
  enteringAs,
  openIdentity,
  openNode,
  startAgent,
  startMetering,
} from '@bivouac/agent';
import { readConfig, systemClock } from '@bivouac/infra/runtime';

type Point =
  | 'before-fence'
  | 'after-fence'
  | 'amid-effect'
  | 'after-effect'
  | 'after-answer-kept'
  | 'before-report'
  | 'after-report'
  | 'before-noted';

const point = process.env['DIES'] as Point | undefined;
const config = readConfig();
const folder = config.AGENT_DIR;

/** SIGKILL: nothing is flushed, nothing is closed, no handler runs. */
function dieAt(here: Point): Promise<void> {
  if (point !== here) return Promise.resolve();
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}

/** How far this agent's clock is ahead of the machine's: an hour passes between two starts. */
const ahead = Number(process.env['AHEAD_MS'] ?? 0);
const clock = {
  now: () => Date.now() + ahead,
  sleep: (milliseconds: number, signal?: AbortSignal) => systemClock.sleep(milliseconds, signal),
};
const identity = await openIdentity({ folder: join(folder, 'identity') });
const { driver, fence } = await openNode({
  url: config.NODE_URL,
  name: identity.nodeId,
  folder,
  clock,
});
const dying: Pick<AgentOptions, 'driver' | 'fence'> = {
  driver: {
    ...driver,
    create: async (...args) => {
      await driver.create(...args);
      await dieAt('amid-effect');
    },
  },
  fence: {
    ...fence,
    check: async (...args) => {
      await dieAt('before-fence');
      const verdict = await fence.check(...args);
      await dieAt('after-fence');
      return verdict;
    },
    record: async (...args) => {
      await dieAt('after-effect');
      const answer = await fence.record(...args);
      await dieAt('after-answer-kept');
      return answer;
    },
  },
};
const metering = await startMetering({
  driver,
  folder: join(folder, 'usage'),
  clock,
  everyMs: config.USAGE_SAMPLE_SECONDS * 1000,
  newId: randomUUID,
  log: () => undefined,
});
await startAgent({
  nodeId: identity.nodeId,
  // As the program does: while the endpoint is rolled nobody answers for a moment.
  start: 'await-endpoint',
  ...dying,
  metering: {
    ...metering,
    connected: (send) => {
      metering.connected((message) => {
        void dieAt('before-report');
        send(message);
        // What was sent has left when the next turn comes.
        setImmediate(() => void dieAt('after-report'));
      });
    },
    noted: (part) => {
      void dieAt('before-noted');
      metering.noted(part);
      console.log('noted');
    },
  },
  clock,
  connect: enteringAs(identity, dialing({ url: config.AGENT_ENDPOINT ?? '', clock: systemClock })),
  random: Math.random,
  log: () => undefined,
});
