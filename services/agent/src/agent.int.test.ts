import { createHash } from 'node:crypto';
import { getMaxListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AgentMessage, type Instruction, NODE_PROTOCOL } from '@bivouac/events/node';
import type { PackageTransaction } from '@bivouac/events/operations';
import { deriveId } from '@bivouac/events/values';
import { ManualClock, processMetrics } from '@bivouac/infra/runtime';

import { openFakeDriver } from './adapters/driver.fake.ts';
import { type Agent, startAgent } from './agent.ts';
import { type Driver, DriverError } from './driver.ts';
import { type Clock, systemClock } from './driver-clock.ts';
import { openFence } from './fence/fence.ts';
import { measureAgent, measuredDriver } from './measures.ts';
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

describe('a package transaction', () => {
  const content = 'the file of vim';
  const checksum = createHash('sha256').update(content).digest('hex');
  const vim = { name: 'vim', epoch: 2, version: '9.1', release: '1.el9', arch: 'x86_64' };
  const nothing = { install: [], upgrade: [], remove: [] };

  /** The instruction to do it, in a container that was built. */
  async function ordered(n: number, transaction: PackageTransaction) {
    const to = endpoint();
    await start(to);
    to.instruct(instruction('build', 1));
    await to.answers(1);
    to.instruct({ ...instruction('destroy', n), step: 'packages', input: { transaction } });
    const [, answer] = await to.answers(2);
    return { to, answer };
  }

  async function fileOf(text: string): Promise<string> {
    const path = join(folder, 'vim.rpm');
    await writeFile(path, text);
    return pathToFileURL(path).href;
  }

  test('is done with the file it was to be done with, and says what is installed now', async () => {
    const install = [{ ...vim, url: await fileOf(content), checksum }];
    const { answer } = await ordered(2, { ...nothing, install });
    expect(answer).toMatchObject({
      outcome: 'done',
      packages: { added: [vim], removed: [], installed: [vim] },
    });
  });

  test('whose file is another one fails, changes nothing, and says what is installed all the same', async () => {
    const install = [{ ...vim, url: await fileOf('something else'), checksum }];
    const { answer } = await ordered(2, { ...nothing, install });
    expect(answer).toMatchObject({
      outcome: 'failed',
      message: expect.stringMatching(/package-unavailable.*vim-2:9\.1.*SHA-256/s),
      packages: { added: [], installed: [] },
    });
  });

  test('without anything to do only looks', async () => {
    const { answer } = await ordered(2, nothing);
    expect(answer).toMatchObject({ outcome: 'done', packages: { installed: [] } });
  });

  test('whose reply was lost is asked for again, and done once', async () => {
    const to = endpoint();
    let asked = 0;
    const losing = (driver: Driver): Driver => ({
      ...driver,
      transact: async (...args) => {
        const report = await driver.transact(...args);
        asked += 1;
        if (asked === 1) throw new DriverError('outcome-unknown', 'The reply was lost on its way.');
        return report;
      },
    });
    const unhurried: Clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
    await start(to, losing, unhurried);
    to.instruct(instruction('build', 1));
    await to.answers(1);
    const install = [{ ...vim, url: await fileOf(content), checksum }];
    const transaction = { ...nothing, install };
    to.instruct({ ...instruction('destroy', 2), step: 'packages', input: { transaction } });
    await to.answers(2);
    asked = 0;
    const newer = { ...vim, version: '9.2' };
    const upgrade = [{ ...newer, url: await fileOf(content), checksum }];
    const then = { transaction: { ...nothing, upgrade } };
    to.instruct({ ...instruction('destroy', 3), step: 'packages', input: then });
    const [, first, second] = await to.answers(3);
    expect(first).toMatchObject({
      outcome: 'done',
      packages: { added: [vim], removed: [], installed: [vim] },
    });
    // What it took away is known all the same.
    expect(second).toMatchObject({
      outcome: 'done',
      packages: { added: [newer], removed: [vim], installed: [newer] },
    });
    expect(asked).toBe(2);
  });

  test('that comes again, also after a restart, gets its first answer', async () => {
    const install = [{ ...vim, url: await fileOf(content), checksum }];
    const { answer } = await ordered(2, { ...nothing, install });
    await agent?.stop();
    const to = endpoint();
    await start(to);
    const transaction = { ...nothing, install };
    to.instruct({ ...instruction('destroy', 2), step: 'packages', input: { transaction } });
    expect(await to.answers(1)).toEqual([answer]);
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

test('a step that an engine which is away has not done in its time fails, and says so', async () => {
  const to = endpoint();
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  await start(
    to,
    (driver) => ({
      ...driver,
      destroy: () => Promise.reject(new DriverError('engine-unavailable', 'The engine is away.')),
    }),
    {
      now: () => clock.now(),
      sleep: (milliseconds) => {
        clock.advance(milliseconds);
        return Promise.resolve();
      },
    },
  );
  to.instruct(instruction('destroy', 1, 1, '2026-04-10T09:01:00.000Z'));
  const [answer] = await to.answers(1);
  expect(answer).toMatchObject({
    outcome: 'failed',
    message: 'engine-unavailable: The engine is away. It was tried until its time was over.',
  });
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

test('what the engine was asked and what came of it, what is in hand, and since when it is alone: each is measured', async () => {
  const to = endpoint();
  const time = new ManualClock(0);
  const metrics = processMetrics({ ofNode: false });
  const measures = measureAgent(metrics, () => time.now());
  const value = async (series: string): Promise<number> => {
    const lines = (await metrics.scrape()).text.split('\n');
    const line = lines.find((one) => one.startsWith(`bivouac_${series} `));
    return Number(line?.slice(line.lastIndexOf(' ') + 1));
  };
  time.advance(7000);
  expect(await value('agent_last_contact_seconds')).toBe(7);
  expect(measures.isConnected()).toBe(false);

  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  let begun: () => void = () => undefined;
  const stopping = new Promise<void>((resolve) => (begun = resolve));
  const engine = await openFakeDriver({ folder: join(folder, 'engine') });
  let creations = 0;
  const driver = measuredDriver(
    {
      ...engine,
      create: async (...what) => {
        creations++;
        if (creations === 1) throw new DriverError('engine-unavailable', 'it is away');
        return engine.create(...what);
      },
      stop: async (...what) => {
        begun();
        await held;
        return engine.stop(...what);
      },
    },
    metrics,
  );
  agent = await startAgent({
    nodeId: deriveId('node', 'one'),
    ...{ driver, measures, clock: systemClock, connect: to.connect },
    fence: await openFence(join(folder, 'fence'), { answer: StepAnswerSchema }),
    random: () => 0.5,
    log: () => undefined,
  });
  to.tell({ type: 'welcome', protocol: NODE_PROTOCOL });
  expect(measures.isConnected()).toBe(true);
  expect(await value('agent_last_contact_seconds')).toBe(0);
  // The engine is asked again where it was away.
  to.instruct(instruction('build', 1));
  expect((await to.answers(1))[0]).toMatchObject({ outcome: 'done' });
  expect(await value('driver_calls_total{call="create",outcome="engine-unavailable"}')).toBe(1);
  expect(await value('driver_calls_total{call="create",outcome="done"}')).toBe(1);
  expect(await value('driver_call_seconds_count{call="create"}')).toBe(2);

  to.instruct(instruction('stop', 2));
  to.instruct(instruction('stop', 3));
  await stopping;
  expect(await value('agent_instructions')).toBe(2);
  goOn();
  await to.answers(3);
  expect(await value('driver_calls_total{call="stop",outcome="done"}')).toBe(2);

  time.advance(1000);
  to.lose();
  expect(measures.isConnected()).toBe(false);
  time.advance(2500);
  expect(await value('agent_last_contact_seconds')).toBe(2.5);
  // It comes back by itself; connected it is once it is welcome.
  await to.connected(2);
  expect(await value('agent_last_contact_seconds')).toBe(2.5);
  to.tell({ type: 'welcome', protocol: NODE_PROTOCOL });
  expect(await value('agent_last_contact_seconds')).toBe(0);
  await agent.stop();
  agent = undefined;
  expect(await value('agent_instructions')).toBe(0);
});
