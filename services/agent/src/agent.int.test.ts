import { getMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { AgentMessage, Instruction } from '@bivouac/events/node';
import { deriveId } from '@bivouac/events/values';

import { openFakeDriver } from './adapters/driver.fake.ts';
import { type Agent, startAgent } from './agent.ts';
import { type Driver, DriverError } from './driver.ts';
import { type Clock, systemClock } from './driver-clock.ts';
import { openFence } from './fence/fence.ts';
import { StepAnswerSchema } from './step-answer.ts';

let folder = '';
let agent: Agent | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bivouac-agent-'));
});
afterEach(async () => {
  await agent?.stop();
  agent = undefined;
  await rm(folder, { recursive: true, force: true });
});

const containerId = deriveId('container', 'web');

function instruction(
  step: 'build' | 'stop' | 'destroy',
  n: number,
  generation = 1,
  notAfter = '2999-01-01T00:00:00.000Z',
): Instruction {
  const facts = {
    containerId,
    generation,
    instructionId: deriveId('instruction', String(n)),
    notAfter,
  };
  switch (step) {
    case 'build':
      return {
        ...facts,
        step,
        input: {
          image: { digest: 'a'.repeat(64), name: 'skel', source: 'builtin:skel' },
          limits: {
            cpuMillis: 1000,
            memoryBytes: '1073741824',
            diskBytes: '10737418240',
            processes: 240,
            cpuUnits: 1000,
          },
          hostname: 'web1.example.com',
          addresses: [{ address: '192.0.2.10', family: 'ipv4' }],
        },
      };
    case 'stop':
      return { ...facts, step, input: { graceSeconds: 1 } };
    case 'destroy':
      return { ...facts, step, input: {} };
  }
}

/** An endpoint that keeps what the agent says and lets the test wait for it. */
function endpoint() {
  const said: AgentMessage[] = [];
  let waiting: (() => void)[] = [];
  let receive: (message: unknown) => void = () => undefined;
  let lose: (why: string) => void = () => undefined;
  let connections = 0;
  return {
    said,
    /** The network is gone. */
    lose: () => {
      lose('the cable was cut');
    },
    connections: () => connections,
    /** So many connections were made and greeted. */
    connected: async (count: number) => {
      while (said.filter(({ type }) => type === 'hello').length < count)
        await new Promise<void>((resolve) => {
          waiting = [...waiting, resolve];
        });
    },
    connect: async (to: (message: unknown) => void, closed: (why: string) => void) => {
      receive = to;
      lose = closed;
      connections += 1;
      return Promise.resolve({
        send: (message: AgentMessage) => {
          said.push(message);
          for (const wake of waiting.splice(0)) wake();
        },
        close: () => undefined,
      });
    },
    tell: (message: unknown) => {
      receive(message);
    },
    instruct: (what: Instruction) => {
      receive({ type: 'instruct', instruction: what });
    },
    answers: async (count: number) => {
      for (;;) {
        const answers = said.filter((message) => message.type === 'answer');
        if (answers.length >= count) return answers;
        await new Promise<void>((resolve) => {
          waiting = [...waiting, resolve];
        });
      }
    },
  };
}

async function start(
  to: ReturnType<typeof endpoint>,
  wrap: (driver: Driver) => Driver = (d) => d,
  clock: Clock = systemClock,
): Promise<void> {
  const driver = wrap(await openFakeDriver({ folder: join(folder, 'engine') }));
  const fence = await openFence(join(folder, 'fence'), { answer: StepAnswerSchema });
  agent = await startAgent({
    nodeId: deriveId('node', 'one'),
    driver,
    fence,
    clock,
    connect: to.connect,
    random: () => 0.5,
    log: () => undefined,
  });
}

test('a node says hello and what it has, builds, answers and reports what it sees', async () => {
  const to = endpoint();
  await start(to);
  to.instruct(instruction('build', 1));
  expect(await to.answers(1)).toMatchObject([{ outcome: 'done', containerId }]);
  expect(to.said.map((message) => message.type).slice(0, 2)).toEqual(['hello', 'list']);
  await agent?.stop();
  agent = undefined;
  expect(to.said).toContainEqual({
    type: 'observation',
    containerId,
    generation: 1,
    state: 'running',
  });
});

test('what the agent cannot do fails, and is never called done', async () => {
  const to = endpoint();
  await start(to);
  to.instruct(instruction('build', 1));
  await to.answers(1);
  const nothing = { install: [], upgrade: [], remove: [] };
  to.instruct({
    ...instruction('destroy', 2),
    step: 'packages',
    input: { transaction: nothing },
  });
  const [, answer] = await to.answers(2);
  expect(answer).toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining('not-possible'),
  });
});

test('an instruction that comes again, also after a restart, gets its first answer and acts once', async () => {
  const to = endpoint();
  let creates = 0;
  const counting = (driver: Driver): Driver => ({
    ...driver,
    create: async (...args) => {
      creates += 1;
      await driver.create(...args);
    },
  });
  await start(to, counting);
  to.instruct(instruction('build', 1));
  to.instruct(instruction('build', 1));
  await to.answers(2);
  await agent?.stop();
  await start(to, counting);
  to.instruct(instruction('build', 1));
  const answers = await to.answers(3);
  expect(answers.map((answer) => answer.outcome)).toEqual(['done', 'done', 'done']);
  expect(creates).toBe(1);
});

test('old generations and late instructions are refused and touch nothing', async () => {
  const to = endpoint();
  await start(to);
  to.instruct(instruction('build', 1, 2));
  to.instruct(instruction('stop', 2, 1));
  to.instruct(instruction('stop', 3, 2, '2000-01-01T00:00:00.000Z'));
  const answers = await to.answers(3);
  expect(answers.map((answer) => answer.outcome)).toEqual(['done', 'refused', 'refused']);
});

test('a message that is not understood is dropped and the next is served', async () => {
  const to = endpoint();
  await start(to);
  to.tell({ type: 'instruct', instruction: { step: 'format-disk' } });
  to.instruct(instruction('destroy', 1));
  expect(await to.answers(1)).toMatchObject([{ outcome: 'done' }]);
});

test('any number of steps may wait for an engine that is away, and nothing warns of a leak', async () => {
  const to = endpoint();
  let tries = 0;
  const away = (driver: Driver): Driver => ({
    ...driver,
    destroy: (ref) => {
      tries += 1;
      if (tries > 1) return driver.destroy(ref);
      return Promise.reject(new DriverError('engine-unavailable', 'the engine is away'));
    },
  });
  const listenedTo: AbortSignal[] = [];
  await start(to, away, {
    ...systemClock,
    sleep: (_milliseconds, signal) => {
      if (signal !== undefined) listenedTo.push(signal);
      return Promise.resolve();
    },
  });
  to.instruct(instruction('destroy', 1));
  expect(await to.answers(1)).toMatchObject([{ outcome: 'done' }]);
  // Beyond so many listeners Node warns of a leak.
  expect(listenedTo.map((signal) => getMaxListeners(signal))).toEqual([Infinity]);
});

test('a connection that is lost is made again, with all that is there, and an old one is not heard', async () => {
  const to = endpoint();
  const waits: number[] = [];
  await start(to, (d) => d, {
    ...systemClock,
    sleep: (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
  });
  const before = to.said.length;
  to.lose();
  await to.connected(2);
  to.instruct(instruction('build', 1));
  expect(await to.answers(1)).toMatchObject([{ outcome: 'done' }]);
  expect(to.said.slice(before).map(({ type }) => type)).toEqual(
    expect.arrayContaining(['hello', 'list', 'answer']),
  );
  // Half of the first wait for sure, and half of the rest: chance is 0.5 here.
  expect(waits[0]).toBe(150);
});

test('an endpoint that has trouble or stops is come back to; one that dismisses the agent is not', async () => {
  const to = endpoint();
  await start(to, (d) => d, { ...systemClock, sleep: () => Promise.resolve() });
  to.tell({ type: 'closing', reason: 'trouble', message: 'come again' });
  await to.connected(2);
  to.tell({ type: 'closing', reason: 'shutdown', message: 'come again' });
  await to.connected(3);
  to.tell({ type: 'closing', reason: 'replaced', message: 'another is there' });
  expect(await agent?.dismissed).toMatchObject({ reason: 'replaced' });
  to.lose();
  await agent?.stop();
  agent = undefined;
  expect(to.connections()).toBe(3);
});
