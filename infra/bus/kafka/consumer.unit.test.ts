// What becomes of a consumer when its client dies while it runs, and in which order it leaves its group.
import { expect, test } from '@jest/globals';
import type { Admin, EachBatchPayload, Kafka } from 'kafkajs';

import { ManualClock } from '../../runtime/clock.ts';
import type { ConsumerOptions } from '../port.ts';
import { KafkaConsumer } from './consumer.ts';

type Listener = (event: { readonly payload: Record<string, unknown> }) => void;

/** As much of the client as a consumer touches; each life of it is one more in `lives`. */
class Client {
  readonly lives: Life[] = [];
  readonly kafka = { consumer: () => this.#begin() } as unknown as Kafka;
  readonly admin = {
    fetchTopicOffsets: () => Promise.resolve([{ partition: 0, low: '0', high: '0' }]),
    fetchOffsets: () => Promise.resolve([]),
  } as unknown as Admin;
  readonly said: string[];

  constructor(said: string[]) {
    this.said = said;
  }

  get life(): Life {
    const life = this.lives.at(-1);
    if (life === undefined) throw new Error('no client was made');
    return life;
  }

  #begin(): Life {
    const life = new Life(this.said, this.lives.length + 1);
    this.lives.push(life);
    return life;
  }
}

class Life {
  readonly events = { GROUP_JOIN: 'join', CRASH: 'crash', FETCH: 'fetch' };
  readonly #listeners = new Map<string, Listener>();
  readonly #said: string[];
  readonly #number: number;
  #batch: ((payload: EachBatchPayload) => Promise<void>) | undefined;

  constructor(said: string[], number: number) {
    this.#said = said;
    this.#number = number;
  }

  on(name: string, listener: Listener): void {
    this.#listeners.set(name, listener);
  }

  connect = (): Promise<void> => Promise.resolve();
  subscribe = (): Promise<void> => Promise.resolve();
  pause = (): void => undefined;
  resume = (): void => undefined;
  seek = (): void => undefined;

  run(options: { readonly eachBatch: (payload: EachBatchPayload) => Promise<void> }) {
    this.#batch = options.eachBatch;
    const payload = { memberAssignment: { topic: [0] }, memberId: `member ${this.#number}` };
    this.#listeners.get('join')?.({ payload });
    return Promise.resolve();
  }

  commitOffsets(offsets: readonly { readonly offset: string }[]): Promise<void> {
    this.#said.push(`committed ${offsets.map(({ offset }) => offset).join()}`);
    return Promise.resolve();
  }

  disconnect(): Promise<void> {
    this.#said.push('left');
    return Promise.resolve();
  }

  die(error: unknown): void {
    this.#listeners.get('crash')?.({ payload: { error } });
  }

  /** A message that is none of ours: it has nothing to deliver, and its offset can be committed. */
  async foreign(offset: string): Promise<void> {
    const message = { offset, key: null, value: null, headers: {} };
    await this.#batch?.({
      batch: { partition: 0, messages: [message] },
      isStale: () => false,
      resolveOffset: () => undefined,
    } as unknown as EachBatchPayload);
  }
}

/** An error as the client throws it: the protocol's code is its `type`. */
function protocolError(type: string, retriable: boolean): Error {
  return Object.assign(new Error(`the broker says ${type}`), {
    name: 'KafkaJSProtocolError',
    type,
    retriable,
  });
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
};

async function rig(more: Partial<ConsumerOptions> = {}) {
  const said: string[] = [];
  const client = new Client(said);
  const network = new ManualClock('2026-04-10T09:00:00.000Z');
  const failures: unknown[] = [];
  const log = (): void => undefined;
  let ended = 0;
  const consumer = await KafkaConsumer.open({
    ...{ kafka: client.kafka, admin: client.admin, topic: 'topic', epoch: 'one', network },
    groupId: 'bivouac.one.billing',
    logger: { debug: log, info: log, warn: log, error: log },
    random: () => 0.5,
    ended: () => ended++,
    consume: {
      group: 'billing',
      from: () => Promise.resolve(null),
      deliver: () => Promise.resolve(),
      failed: (error) => failures.push(error),
      ...more,
    },
  });
  /** Time enough to join again. */
  const later = async (): Promise<void> => {
    await turns();
    network.advance(10_000);
    await turns();
  };
  return { client, consumer, failures, later, said, ended: () => ended };
}

test.each([
  ['it may not read the topic any more', 'TOPIC_AUTHORIZATION_FAILED'],
  ['it may not be of its group any more', 'GROUP_AUTHORIZATION_FAILED'],
  ['its password is not taken any more', 'SASL_AUTHENTICATION_FAILED'],
])('a client that dies because %s fails its consumer at once and for good', async (_, code) => {
  const revoked: number[] = [];
  const { client, failures, later, said, ended } = await rig({
    revoked: (partition) => revoked.push(partition),
  });
  client.life.die(protocolError(code, false));
  await turns();
  expect(failures).toMatchObject([{ code: 'misconfigured' }]);
  expect(String(failures[0])).toContain('Check BUS_URL and what its user may do');
  await later();
  // It neither joins again nor says so twice, and nothing of it goes on.
  expect(client.lives).toHaveLength(1);
  expect(failures).toHaveLength(1);
  expect(said).toEqual(['left']);
  expect(revoked).toEqual([0]);
  expect(ended()).toBeGreaterThan(0);
});

test('a client that dies of a cluster which is away joins anew, however often', async () => {
  const { client, failures, later, consumer } = await rig();
  for (let times = 1; times <= 12; times++) {
    client.life.die(protocolError('REBALANCE_IN_PROGRESS', true));
    await later();
    expect(client.lives).toHaveLength(times + 1);
  }
  expect(failures).toEqual([]);
  await consumer.stop(0);
});

test('a client that goes on dying of nothing that passes is given up', async () => {
  const { client, failures, later } = await rig();
  for (let times = 0; times < 10 && failures.length === 0; times++) {
    client.life.die(new TypeError('a defect of the client'));
    await later();
  }
  expect(failures).toMatchObject([{ code: 'unavailable' }]);
  expect(client.lives).toHaveLength(6);
});

test('a stop writes down what was done, commits, and only then leaves the group', async () => {
  const order: string[] = [];
  const { client, consumer, said } = await rig({
    leaving: () => Promise.resolve(void order.push(`written down, ${said.length} calls before`)),
  });
  await client.life.foreign('4');
  await consumer.stop(1000);
  expect(order).toEqual(['written down, 0 calls before']);
  expect(said).toEqual(['committed 5', 'left']);
});
