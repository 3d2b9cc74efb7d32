import { describe, expect, test } from '@jest/globals';
import type { CommandReply, QueryReply, Refusal } from '@bivouac/events/language';
import { type EndpointMessage, type Instruction, NODE_PROTOCOL } from '@bivouac/events/node';
import { formatPosition } from '@bivouac/events/language';
import type { Clock } from '@bivouac/infra/runtime';

import { InstancesOfNode, ReportInventory, ReportObservation } from './api/index.ts';
import { id } from './given.ts';
import { nodeEndpoint, type NodeEndpointOptions } from './node-endpoint.ts';

const nodeId = id('node');
const inventory = {
  ...{ engine: 'fake', engineVersion: '1', kernel: '6', cpuMillis: 1, features: [] },
  ...{ memoryBytes: '1', diskBytes: '1' },
};
const hello = { type: 'hello', nodeId, protocol: NODE_PROTOCOL, inventory } as const;
const answered = (name: string, outcome: 'done' | 'failed' = 'done') => ({
  ...{ type: 'answer', containerId: id('container'), outcome },
  instructionId: id('instruction', name),
});

/** A queue and a recorder instead of the host; `trouble` is what the next calls meet. */
class Bench {
  readonly queue: {
    readonly cursor: string;
    readonly instruction: Instruction;
    readonly stray: boolean;
  }[] = [];
  readonly commands: { name: string; input: Record<string, unknown>; key: string }[] = [];
  /** What hellos said of the machine. */
  readonly inventories: unknown[] = [];
  /** What should be on the node. */
  readonly there: { containerId: string; what: 'expected' | 'stray' | 'other' }[] = [];
  /** How observations are refused, by container. */
  readonly refused = new Map<string, string>();
  readonly usage: string[] = [];
  readonly trouble: (Refusal | Error)[] = [];
  known = true;
  /** Whether answers are waited for, so that something is recorded. */
  wanted = true;
  waits: number[] = [];
  #listeners = new Set<(nodeId: string, position: string) => void>();
  #keys = 0;
  readonly #clock: Clock = {
    now: () => 0,
    sleep: (milliseconds) => {
      this.waits.push(milliseconds);
      return Promise.resolve();
    },
  };

  readonly endpoint = nodeEndpoint({
    command: ((_nodeId, contract, input, key) =>
      this.#call((): CommandReply<unknown> => {
        if (contract.name === ReportInventory.name) this.inventories.push(input);
        else
          this.commands.push({ name: contract.name, input: input as Record<string, unknown>, key });
        const code = this.refused.get(String((input as Record<string, unknown>)['containerId']));
        if (code !== undefined && contract.name === ReportObservation.name) {
          return { ok: false, refusal: { code, message: 'no' } };
        }
        const position = this.wanted ? formatPosition(1n) : undefined;
        return { ok: true, result: {}, stream: '', revision: 0n, position, repeated: false };
      })) as NodeEndpointOptions['command'],
    query: ((_nodeId, contract, input) =>
      this.#call(() => {
        if (contract.name === InstancesOfNode.name) {
          const items = this.there.map((one) => ({ cursor: 'c', generation: 1, ...one }));
          return { ok: true, result: { items, end: true }, position: null };
        }
        const { after = '', limit = 0 } = input as { after?: string; limit?: number };
        const rest = this.queue.filter(({ cursor }) => cursor > after);
        const items = rest.slice(0, limit);
        const result = { known: this.known, items, end: rest.length <= limit };
        return { ok: true, result, position: null };
      })) as NodeEndpointOptions['query'],
    recordUsage: (node, report) =>
      this.#call((): CommandReply<unknown> => {
        this.usage.push(`${node} ${report.hour} ${report.part}`);
        return {
          ...{ ok: true, result: {}, stream: '', revision: 0n, position: undefined },
          repeated: false,
        };
      }),
    onNewInstruction: (listener) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
    clock: this.#clock,
    newId: () => `key-${++this.#keys}`,
    log: () => undefined,
  });

  /** An agent that notes what it is told. */
  connect(as = nodeId) {
    const told: EndpointMessage[] = [];
    const connection = this.endpoint.connect(as, (message) => {
      told.push(message);
    });
    return {
      connection,
      told,
      types: () => told.map((message) => message.type),
      instructed: () =>
        told.flatMap((m) => (m.type === 'instruct' ? [m.instruction.instructionId] : [])),
      closing: () => told.find((message) => message.type === 'closing'),
    };
  }

  enqueue(name: string, tell = true, stray = false): void {
    const position = formatPosition(BigInt(this.queue.length + 1));
    this.queue.push({
      ...{ cursor: position, stray },
      instruction: {
        ...{ step: 'start', input: {}, containerId: id('container'), generation: 1 },
        ...{ instructionId: id('instruction', name), notAfter: '2026-04-10T09:00:00.000Z' },
      },
    });
    if (tell) for (const listener of this.#listeners) listener(nodeId, position);
  }

  #call<R extends CommandReply<unknown> | QueryReply<unknown>>(
    succeed: () => R,
  ): Promise<R | { ok: false; refusal: Refusal }> {
    const trouble = this.trouble.shift();
    if (trouble instanceof Error) return Promise.reject(trouble);
    return Promise.resolve(
      trouble === undefined ? succeed() : { ok: false as const, refusal: trouble },
    );
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

const busy: Refusal = { code: 'UNAVAILABLE', message: 'busy', retryable: true };

describe('an agent that says hello', () => {
  test('is welcomed and told its queue in order, also when it is long', async () => {
    const bench = new Bench();
    const names = Array.from({ length: 450 }, (_, i) => `i${i}`);
    for (const name of names) bench.enqueue(name);
    const agent = bench.connect();
    expect(bench.endpoint.connected()).toEqual([]);
    agent.connection.receive(hello);
    await turns();
    expect(agent.types()[0]).toBe('welcome');
    expect(agent.instructed()).toEqual(names.map((name) => id('instruction', name)));
    expect(bench.endpoint.connected()).toEqual([nodeId]);
  });

  test('as another node, with another protocol or unregistered is sent away', async () => {
    const bench = new Bench();
    const other = bench.connect();
    other.connection.receive({ ...hello, nodeId: id('node', 'other') });
    expect(other.closing()).toMatchObject({ reason: 'unknown-node' });
    const old = bench.connect();
    old.connection.receive({ ...hello, protocol: NODE_PROTOCOL + 1 });
    expect(old.closing()).toMatchObject({ reason: 'protocol' });
    bench.known = false;
    const unregistered = bench.connect();
    unregistered.connection.receive(hello);
    await turns();
    expect(unregistered.closing()).toMatchObject({ reason: 'unknown-node' });
    expect(bench.endpoint.connected()).toEqual([]);
  });

  test('is sent away when it says something else first, or what is not understood', () => {
    const bench = new Bench();
    const hasty = bench.connect();
    hasty.connection.receive(answered('a'));
    expect(hasty.closing()).toMatchObject({ reason: 'protocol' });
    const garbled = bench.connect();
    garbled.connection.receive({ type: 'hello', nodeId: 7 });
    expect(garbled.closing()).toMatchObject({ reason: 'protocol' });
    garbled.connection.receive(hello);
    expect(garbled.told).toHaveLength(1);
    expect(bench.commands).toEqual([]);
  });
});

describe('a connected agent', () => {
  test('is told each new instruction once, and again on its next connection', async () => {
    const bench = new Bench();
    const agent = bench.connect();
    agent.connection.receive(hello);
    await turns();
    for (const name of ['a', 'b', 'c']) bench.enqueue(name);
    await turns();
    bench.enqueue('d');
    await turns();
    const all = ['a', 'b', 'c', 'd'].map((name) => id('instruction', name));
    expect(agent.instructed()).toEqual(all);
    agent.connection.close();
    expect(bench.endpoint.connected()).toEqual([]);
    const again = bench.connect();
    again.connection.receive(hello);
    await turns();
    expect(again.instructed()).toEqual(all);
  });

  test('is closed by a newer connection of its node, which alone is told', async () => {
    const bench = new Bench();
    const older = bench.connect();
    older.connection.receive(hello);
    await turns();
    const newer = bench.connect();
    expect(older.closing()).toMatchObject({ reason: 'replaced' });
    newer.connection.receive(hello);
    await turns();
    bench.enqueue('a');
    await turns();
    expect(older.instructed()).toEqual([]);
    expect(newer.instructed()).toEqual([id('instruction', 'a')]);
    older.connection.close();
    expect(bench.endpoint.connected()).toEqual([nodeId]);
  });

  test('has its answers recorded in order and noted, the same answer under the same key', async () => {
    const bench = new Bench();
    const agent = bench.connect();
    agent.connection.receive(hello);
    await turns();
    agent.connection.receive(answered('a'));
    agent.connection.receive(answered('b', 'failed'));
    agent.connection.receive(answered('a'));
    await turns();
    expect(bench.commands.map(({ name, input }) => [name, input['instructionId']])).toEqual([
      ['containers.ReportAnswer', id('instruction', 'a')],
      ['containers.ReportAnswer', id('instruction', 'b')],
      ['containers.ReportAnswer', id('instruction', 'a')],
    ]);
    const [first, second, third] = bench.commands.map(({ key }) => key);
    expect(third).toBe(first);
    expect(second).not.toBe(first);
    expect(agent.types().filter((type) => type === 'noted')).toHaveLength(3);
    expect(bench.commands[1]?.input).toMatchObject({ nodeId, outcome: 'failed' });
  });

  test('has what it sees recorded, each report as one of its own', async () => {
    const bench = new Bench();
    const agent = bench.connect();
    agent.connection.receive(hello);
    await turns();
    const seen = { containerId: id('container'), generation: 1, state: 'stopped' as const };
    agent.connection.receive({ type: 'observation', ...seen });
    agent.connection.receive({ type: 'list', instances: [seen] });
    await turns();
    expect(bench.commands.map(({ name }) => name)).toEqual([
      ...['containers.ReportObservation', 'containers.ReportObservation'],
    ]);
    expect(new Set(bench.commands.map(({ key }) => key)).size).toBe(2);
  });

  test('says what its machine has, each time it comes', async () => {
    const bench = new Bench();
    bench.connect().connection.receive(hello);
    await turns();
    expect(bench.inventories).toEqual([{ nodeId, inventory }]);
  });

  test('has the answer about a stray recorded with the node, not with a container', async () => {
    const bench = new Bench();
    const agent = bench.connect();
    agent.connection.receive(hello);
    await turns();
    bench.enqueue('stray', true, true);
    await turns();
    agent.connection.receive(answered('stray', 'failed'));
    await turns();
    expect(bench.commands.map(({ name }) => name)).toEqual(['containers.ReportStrayAnswer']);
    expect(bench.commands[0]?.input).toMatchObject({ nodeId, outcome: 'failed' });
  });

  test('has strays recorded as such, and as absent what a whole list lacks', async () => {
    const bench = new Bench();
    const [known, stray, missing, young, gone] = ['a', 'b', 'c', 'd', 'e'].map((name) =>
      id('container', name),
    );
    if (!known || !stray || !missing || !young || !gone) throw new Error('ids');
    bench.refused.set(stray, 'INSTANCE_GONE');
    bench.there.push(
      { containerId: known, what: 'expected' },
      { containerId: missing, what: 'expected' },
      { containerId: young, what: 'other' },
      { containerId: gone, what: 'stray' },
    );
    const agent = bench.connect();
    agent.connection.receive(hello);
    const seen = (containerId: string) => ({ containerId, generation: 1, state: 'running' });
    agent.connection.receive({ type: 'list', instances: [seen(known), seen(stray)] });
    await turns();
    await turns();
    const said = bench.commands.map(({ name, input }) => [
      name.slice('containers.'.length),
      input['containerId'],
      input['state'],
      input['why'],
    ]);
    expect(said).toContainEqual(['ReportObservation', known, 'running', undefined]);
    expect(said).toContainEqual(['ReportStray', stray, 'running', 'gone']);
    expect(said).toContainEqual(['ReportObservation', missing, 'absent', undefined]);
    expect(said).toContainEqual(['ReportStray', gone, 'absent', 'unknown']);
    expect(said.filter(([, containerId]) => containerId === young)).toEqual([]);
  });

  test('need not have recorded what its answer has said already, but anything else', async () => {
    const bench = new Bench();
    const agent = bench.connect();
    agent.connection.receive(hello);
    bench.enqueue('a');
    await turns();
    const see = (state: 'running' | 'stopped', generation = 1) => {
      const containerId = id('container');
      agent.connection.receive({ type: 'observation', containerId, generation, state });
    };
    agent.connection.receive(answered('a'));
    see('running');
    await turns();
    expect(bench.commands.map(({ name }) => name)).toEqual(['containers.ReportAnswer']);
    see('running');
    see('stopped');
    await turns();
    expect(bench.commands).toHaveLength(3);
    bench.wanted = false;
    bench.enqueue('b');
    await turns();
    agent.connection.receive(answered('b'));
    see('running');
    await turns();
    expect(bench.commands.at(-1)?.input).toMatchObject({ state: 'running' });
  });

  test('does not lose an answer while the store is busy', async () => {
    const bench = new Bench();
    const agent = bench.connect();
    agent.connection.receive(hello);
    await turns();
    bench.trouble.push(busy, new Error('the wire broke'), busy);
    agent.connection.receive(answered('a'));
    await turns();
    expect(bench.commands).toHaveLength(1);
    expect(agent.types()).toContain('noted');
    expect(bench.waits).toEqual([20, 50, 100]);
  });

  test('is sent back to come again when an answer cannot be recorded, and not told it was noted', async () => {
    const bench = new Bench();
    const agent = bench.connect();
    agent.connection.receive(hello);
    await turns();
    for (let i = 0; i < 8; i++) bench.trouble.push(busy);
    agent.connection.receive(answered('a'));
    await turns();
    expect(agent.closing()).toMatchObject({ reason: 'trouble' });
    expect(agent.types()).not.toContain('noted');
    expect(bench.endpoint.connected()).toEqual([]);
  });

  test('is told that an answer nobody wants is noted', async () => {
    const bench = new Bench();
    const agent = bench.connect();
    agent.connection.receive(hello);
    await turns();
    bench.trouble.push({ code: 'CONTAINER_UNKNOWN', message: 'there is none' });
    agent.connection.receive(answered('a'));
    await turns();
    expect(agent.told.at(-1)).toEqual({
      type: 'noted',
      instructionId: id('instruction', 'a'),
    });
  });

  test('gets its queue after the read model was late', async () => {
    const bench = new Bench();
    const agent = bench.connect();
    agent.connection.receive(hello);
    await turns();
    bench.trouble.push({ code: 'NOT_YET', message: 'not applied yet' });
    bench.enqueue('a');
    await turns();
    expect(agent.instructed()).toEqual([id('instruction', 'a')]);
  });
});

describe('a report of use', () => {
  const part = (n: number) => ({
    ...{ type: 'usage', meterId: '00000000-0000-4000-8000-000000000001', part: n, parts: 2 },
    ...{ hour: '2026-04-10T09:00:00.000Z', samples: 0, samplesDigest: 'd'.repeat(64), usage: [] },
  });
  const noted = (n: number) => {
    const { meterId, hour } = part(n);
    return { type: 'usage-noted', meterId, hour, part: n };
  };

  test('is recorded part after part, and each noted once it is', async () => {
    const bench = new Bench();
    const agent = bench.connect();
    agent.connection.receive(hello);
    await turns();
    bench.trouble.push(busy);
    agent.connection.receive(part(0));
    agent.connection.receive(part(1));
    await turns();
    await turns();
    expect(bench.usage.map((said) => said.slice(-1))).toEqual(['0', '1']);
    expect(agent.told.slice(-2)).toEqual([noted(0), noted(1)]);
  });

  test('that nobody wants is noted, one that cannot be recorded now is not', async () => {
    const bench = new Bench();
    const agent = bench.connect();
    agent.connection.receive(hello);
    await turns();
    bench.trouble.push({ code: 'USAGE_DIFFERS', message: 'the first stands' });
    agent.connection.receive(part(0));
    await turns();
    expect([bench.usage, agent.told.at(-1)]).toEqual([[], noted(0)]);
    for (let i = 0; i < 8; i++) bench.trouble.push(busy);
    agent.connection.receive(part(1));
    await turns();
    expect(agent.closing()).toMatchObject({ reason: 'trouble' });
    expect(agent.told).not.toContainEqual(noted(1));
  });
});

test('an endpoint that closes records what it took and takes nothing more', async () => {
  const bench = new Bench();
  const agent = bench.connect();
  agent.connection.receive(hello);
  await turns();
  bench.trouble.push(busy);
  agent.connection.receive(answered('a'));
  await bench.endpoint.close();
  expect(agent.closing()).toMatchObject({ reason: 'shutdown' });
  expect(bench.commands).toHaveLength(1);
  agent.connection.receive(answered('b'));
  await turns();
  expect(bench.commands).toHaveLength(1);
  const late = bench.connect();
  expect(late.closing()).toMatchObject({ reason: 'shutdown' });
});
