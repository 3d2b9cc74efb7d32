// What becomes of a consumer when its client dies while it runs, and in which order it leaves its group.
import { expect, test } from '@jest/globals';
import { KafkaJSError, KafkaJSNumberOfRetriesExceeded } from 'kafkajs';

import { ManualClock } from '../../runtime/clock.ts';
import type { ConsumerOptions } from '../port.ts';
import { KafkaConsumer } from './consumer.ts';
import type { Member, MemberEvents, NewMember } from './member.ts';
import type { AsksOffsets } from './starts.ts';

/** The client as far as a consumer touches it; each member that it makes is one more in `lives`. */
class Client {
  readonly lives: Life[] = [];
  readonly admin: AsksOffsets = {
    fetchTopicOffsets: () => Promise.resolve([{ partition: 0, offset: '0', low: '0', high: '0' }]),
    fetchOffsets: () => Promise.resolve([]),
  };
  readonly said: string[];
  /** No group can be joined. */
  away = false;

  /** What the next joinings are refused with, one after the other. */
  readonly refusals: Error[];

  constructor(said: string[], refusals: Error[]) {
    this.said = said;
    this.refusals = refusals;
  }

  get life(): Life {
    const life = this.lives.at(-1);
    if (life === undefined) throw new Error('no member was made');
    return life;
  }

  readonly newMember: NewMember = (_group, events) => {
    const life = new Life(this, this.lives.length + 1, events);
    this.lives.push(life);
    return life;
  };
}

class Life implements Member {
  readonly #client: Client;
  readonly #said: string[];
  readonly #number: number;
  readonly #events: MemberEvents;

  constructor(client: Client, number: number, events: MemberEvents) {
    this.#client = client;
    this.#said = client.said;
    this.#number = number;
    this.#events = events;
  }

  pause = (): void => undefined;
  resume = (): void => undefined;
  seek = (): void => undefined;

  join(): Promise<void> {
    const refusal = this.#client.refusals.shift();
    if (refusal !== undefined) {
      // As the client does: it is told by the crash alone.
      this.#events.crashed(refusal);
      return Promise.resolve();
    }
    if (this.#client.away) {
      return Promise.reject(protocolError('GROUP_COORDINATOR_NOT_AVAILABLE', true));
    }
    this.#events.joined([0], `member ${this.#number}`);
    return Promise.resolve();
  }

  commit(offsets: readonly { readonly offset: string }[]): Promise<void> {
    this.#said.push(`committed ${offsets.map(({ offset }) => offset).join()}`);
    return Promise.resolve();
  }

  leave(): Promise<void> {
    this.#said.push('left');
    return Promise.resolve();
  }

  die(error: unknown): void {
    this.#events.crashed(error);
  }

  /** A message that is none of ours: it has nothing to deliver, and its offset can be committed. */
  foreign(offset: string): void {
    this.#events.batch({
      partition: 0,
      messages: [{ offset, key: null, value: null, headers: {} }],
      isStale: () => false,
      resolve: () => undefined,
    });
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

async function rig(more: Partial<ConsumerOptions> = {}, refusals: Error[] = []) {
  const said: string[] = [];
  const client = new Client(said, refusals);
  const network = new ManualClock('2026-04-10T09:00:00.000Z');
  const failures: unknown[] = [];
  const log = (): void => undefined;
  let ended = 0;
  const opening = KafkaConsumer.open({
    ...{ newMember: client.newMember, admin: client.admin, topic: 'topic', epoch: 'one', network },
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
  while (refusals.length > 0) {
    await turns();
    network.advance(1000);
  }
  const consumer = await opening;
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

test.each([
  ['a cluster which is away', protocolError('REBALANCE_IN_PROGRESS', true)],
  // As the client throws it of a broker that takes connections and answers nothing.
  ['a broker which stands still', new Error('Broker not connected')],
])('a client that dies of %s joins anew, however often', async (_of, error) => {
  const { client, failures, later, consumer } = await rig();
  for (let times = 1; times <= 12; times++) {
    client.life.die(error);
    await later();
    expect(client.lives).toHaveLength(times + 1);
  }
  expect(failures).toEqual([]);
  await consumer.stop(0);
});

test('a first joining lasts while the group comes together', async () => {
  const refusal = new KafkaJSNumberOfRetriesExceeded(
    new KafkaJSError(protocolError('REBALANCE_IN_PROGRESS', false)),
    { retryCount: 3, retryTime: 1000 },
  );
  const { client, consumer, failures } = await rig(
    {},
    Array.from({ length: 20 }, () => refusal),
  );
  expect([client.lives.length, failures]).toEqual([21, []]);
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
  client.life.foreign('4');
  await consumer.stop(1000);
  expect(order).toEqual(['written down, 0 calls before']);
  expect(said).toEqual(['committed 5', 'left']);
});

test('it is settled only in its group, and when it has begun what it was given', async () => {
  let begin: () => void = () => undefined;
  let waits = false;
  const { client, consumer, later } = await rig({
    from: () =>
      waits
        ? new Promise((resolve) => {
            begin = () => {
              resolve(null);
            };
          })
        : Promise.resolve(null),
  });
  await consumer.settled();
  waits = true;
  client.life.die(protocolError('REBALANCE_IN_PROGRESS', true));
  await turns();
  let settled = false;
  const settling = consumer.settled().then(() => (settled = true));
  await turns();
  // It is in no group at the moment.
  expect([settled, client.lives.length]).toEqual([false, 1]);
  await later();
  // It is, but its partition has not begun.
  expect([settled, client.lives.length]).toEqual([false, 2]);
  begin();
  await settling;
  await consumer.stop(0);
});

test('whoever waits for it to settle waits through every joining that fails', async () => {
  const { client, consumer, later } = await rig();
  client.away = true;
  client.life.die(protocolError('REBALANCE_IN_PROGRESS', true));
  await turns();
  let settled = false;
  const settling = consumer.settled().then(() => (settled = true));
  for (let times = 0; times < 4; times++) await later();
  expect([settled, client.lives.length > 3]).toEqual([false, true]);
  client.away = false;
  for (let times = 0; times < 2; times++) await later();
  await settling;
  await consumer.stop(0);
});

test('who waits for it to settle is not held up by its end', async () => {
  const { client, consumer } = await rig();
  client.life.die(protocolError('REBALANCE_IN_PROGRESS', true));
  await turns();
  const settling = consumer.settled();
  consumer.end();
  await settling;
});
