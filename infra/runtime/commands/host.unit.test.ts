import { afterEach, describe, expect, test } from '@jest/globals';
import {
  accept,
  command,
  customer,
  event,
  eventRegistry,
  type NewEvent,
  type Principal,
  refuse,
} from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
import { z } from 'zod';

import { type EventStore, EventStoreError, memoryEventStore } from '../../event-store/index.ts';
import { KeyError, type Keys } from '../../keys/port.ts';
import { ManualClock } from '../clock.ts';
import { aggregate, handler } from '../definitions.ts';
import { commandHost, type CommandHost } from './host.ts';

const Added = event(
  'test.Added',
  z.strictObject({ amount: customer(z.number()), note: customer(z.string()) }),
);
const registry = eventRegistry([Added]);

const counter = aggregate<{ total: number }, readonly [typeof Added]>({
  category: 'counter',
  events: [Added],
  initial: () => ({ total: 0 }),
  evolve: (state, added) => {
    state.total += added.data.amount;
    return state;
  },
});

const Add = command({
  name: 'test.Add',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ id: z.string(), amount: z.number().int(), note: z.string().default('') }),
  result: z.strictObject({ amounts: z.array(z.number()) }),
});
const addHandler = handler(Add, counter, {
  stream: (input) => `counter-${input.id}`,
  owner: (_input, principal) => ({ tenantId: principal.tenantId, homeId: principal.homeId }),
  decide: (state, input) => {
    if (input.amount === 0) return accept();
    if (state.total + input.amount > 100)
      return refuse('TOO_MUCH', 'It would go beyond 100; add less.');
    return accept(Added({ amount: input.amount, note: input.note }));
  },
  result: (events) => ({
    amounts: events.flatMap((e) => (e.type === Added.type ? [Number(e.data['amount'])] : [])),
  }),
});

const Open = command({
  name: 'test.Open',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ amount: z.number().int() }),
  result: z.strictObject({ id: z.string(), secret: z.string().nullable() }),
});
const openHandler = handler(Open, counter, {
  stream: (_input, { commandKey }) => `counter-${deriveId('container', commandKey)}`,
  owner: (_input, principal) => ({ tenantId: principal.tenantId, homeId: principal.homeId }),
  prepare: async (input) => Promise.resolve({ input, reveal: { secret: 'shown once' } }),
  decide: (_state, input) => accept(Added({ amount: input.amount, note: 'opened' })),
  result: (_events, _input, stream) => ({ id: stream.slice('counter-'.length), secret: null }),
});

/** On a stream that holds things of several tenants. */
const Share = command({
  name: 'test.Share',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ id: z.string(), whose: z.string(), amount: z.number().int() }),
  result: z.strictObject({ total: z.number(), key: z.string() }),
});
const shareHandler = handler(Share, counter, {
  stream: (input) => `counter-${input.id}`,
  about: (input) => input.whose,
  decide: (state, { amount }) =>
    amount === 0
      ? accept()
      : state.total + amount > 100
        ? refuse('TOO_MUCH', 'It would go beyond 100; add less.')
        : accept(Added({ amount, note: 'shared' })),
  result: (added, { amount }, _stream, key) => ({ total: added.length * amount, key }),
});

const tenant = (name: string, reach?: readonly string[]): Principal => ({
  id: `key_${name}`,
  kind: 'key',
  tenantId: name,
  homeId: name,
  reach: new Set(reach ?? [name]),
  rights: 'all',
  audience: 'customer',
});
const alice = tenant('alice');
const bob = tenant('bob');

const stores: EventStore[] = [];
const hosts: CommandHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop();
  for (const store of stores.splice(0)) await store.close();
});

function newStore(): EventStore {
  const store = memoryEventStore();
  stores.push(store);
  return store;
}

function newHost(
  store: EventStore,
  clock = new ManualClock('2026-04-10T09:00:00.000Z'),
  hmac: Keys['hmac'] = async (owner, bytes) =>
    Promise.resolve(`${owner}:${Buffer.from(bytes).toString('base64url')}`),
): CommandHost {
  const host = commandHost({
    handlers: [addHandler, openHandler, shareHandler],
    store,
    registry,
    clock,
    providerId: () => 'provider',
    ports: {
      random: (n) => new Uint8Array(n).fill(7),
      keys: {
        hmac,
        seal: () => Promise.reject(new Error('not used')),
        open: () => Promise.reject(new Error('not used')),
        destroy: () => Promise.resolve(),
        forget: () => undefined,
        close: () => Promise.resolve(),
      },
      secrets: {
        put: () => Promise.resolve(),
        get: () => Promise.resolve(undefined),
        destroy: () => Promise.resolve(),
        close: () => Promise.resolve(),
      },
      blobs: {
        put: () => Promise.reject(new Error('not used')),
        get: () => Promise.resolve(undefined),
      },
    },
  });
  hosts.push(host);
  return host;
}

async function events(store: EventStore, stream: string): Promise<readonly { amount: number }[]> {
  const page = await store.readStream(stream, { limit: 1000 });
  return page.exists
    ? page.events.map((e) => JSON.parse(Buffer.from(e.data).toString()) as { amount: number })
    : [];
}

/** A store whose appends do what the test says. */
function wrapped(
  store: EventStore,
  append: (next: EventStore['append']) => EventStore['append'],
): EventStore {
  return {
    append: append((...args) => store.append(...args)),
    readStream: (...args) => store.readStream(...args),
    readAll: (...args) => store.readAll(...args),
    readHome: (...args) => store.readHome(...args),
    subscribe: (...args) => store.subscribe(...args),
    head: () => store.head(),
    close: () => store.close(),
  };
}

describe('a command', () => {
  test('sent again answers its first result and appends nothing, also after others', async () => {
    const store = newStore();
    const host = newHost(store);
    const k = { id: 'a', amount: 1 };
    const first = await host.command(Add, k, { principal: alice, idempotencyKey: 'K' });
    await host.command(Add, { id: 'a', amount: 2 }, { principal: alice, idempotencyKey: 'L' });
    const again = await host.command(Add, k, { principal: alice, idempotencyKey: 'K' });
    const elsewhere = await newHost(store).command(Add, k, {
      principal: alice,
      idempotencyKey: 'K',
    });
    expect(first).toMatchObject({ ok: true, repeated: false, result: { amounts: [1] } });
    expect(again).toMatchObject({ ok: true, repeated: true, result: { amounts: [1] } });
    expect(elsewhere).toMatchObject({ ok: true, repeated: true, result: { amounts: [1] } });
    expect(await events(store, 'counter-a')).toHaveLength(2);
  });

  test('with a lost reply, another command between and a retry, is applied once', async () => {
    const store = newStore();
    let lose = true;
    const lossy = wrapped(store, (next) => async (...args) => {
      const result = await next(...args);
      if (lose) {
        lose = false;
        throw new EventStoreError('unavailable', 'the reply was lost');
      }
      return result;
    });
    const host = newHost(lossy);
    const k = { id: 'a', amount: 1 };
    expect(await host.command(Add, k, { principal: alice, idempotencyKey: 'K' })).toMatchObject({
      ok: false,
      refusal: { code: 'UNAVAILABLE', retryable: true },
    });
    await host.command(Add, { id: 'a', amount: 2 }, { principal: alice, idempotencyKey: 'L' });
    const again = await host.command(Add, k, { principal: alice, idempotencyKey: 'K' });
    expect(again).toMatchObject({ ok: true, repeated: true, result: { amounts: [1] } });
    expect((await events(store, 'counter-a')).map((e) => e.amount)).toEqual([1, 2]);
  });

  test('with the same key and other input is refused, and names the key', async () => {
    const host = newHost(newStore());
    await host.command(Add, { id: 'a', amount: 1 }, { principal: alice, idempotencyKey: 'K' });
    const other = await host.command(
      Add,
      { id: 'a', amount: 2 },
      { principal: alice, idempotencyKey: 'K' },
    );
    expect(other).toMatchObject({
      ok: false,
      refusal: { code: 'IDEMPOTENCY_CONFLICT', path: ['idempotencyKey'] },
    });
  });

  test('with the same key from two tenants makes two results', async () => {
    const host = newHost(newStore());
    const a = await host.command(Open, { amount: 1 }, { principal: alice, idempotencyKey: 'K' });
    const b = await host.command(Open, { amount: 1 }, { principal: bob, idempotencyKey: 'K' });
    expect(a.ok && b.ok && a.result.id !== b.result.id).toBe(true);
  });

  test('sent again with another key of the same member is the same; its events name the first', async () => {
    const store = newStore();
    const host = newHost(store);
    const by = (id: string, memberId: string): Principal => ({ ...alice, id, memberId });
    const call = (principal: Principal) => ({ principal, idempotencyKey: 'k' });
    const [old, fresh] = [by('key_old', 'mem_1'), by('key_fresh', 'mem_1')];
    const first = await host.command(Add, { id: 'a', amount: 3 }, call(old));
    const again = await host.command(Add, { id: 'a', amount: 3 }, call(fresh));
    expect([first, again]).toMatchObject([{ repeated: false }, { repeated: true }]);
    const opened = await host.command(Open, { amount: 1 }, call(old));
    const reopened = await host.command(Open, { amount: 1 }, call(fresh));
    expect(reopened).toMatchObject({ ok: true, repeated: true });
    expect(opened.ok && reopened.ok && opened.stream === reopened.stream).toBe(true);
    const other = await host.command(Add, { id: 'a', amount: 3 }, call(by('key_other', 'mem_2')));
    expect(other).toMatchObject({ ok: true, repeated: false });
    const page = await store.readStream('counter-a', { limit: 10 });
    expect(page.exists && page.events.map((e) => e.actorid)).toEqual(['key_old', 'key_other']);
  });

  test('that creates makes the same thing again, and shows its secret only the first time', async () => {
    const host = newHost(newStore());
    const a = await host.command(Open, { amount: 1 }, { principal: alice, idempotencyKey: 'K' });
    const b = await host.command(Open, { amount: 1 }, { principal: alice, idempotencyKey: 'K' });
    expect(a).toMatchObject({ ok: true, repeated: false, result: { secret: 'shown once' } });
    expect(b).toMatchObject({ ok: true, repeated: true, result: { secret: null } });
    expect(a.ok && b.ok && a.result.id === b.result.id).toBe(true);
  });

  test('is forgotten on an existing stream after seven days of log time', async () => {
    const store = newStore();
    const clock = new ManualClock('2026-04-10T09:00:00.000Z');
    const host = newHost(store, clock);
    await host.command(Add, { id: 'a', amount: 1 }, { principal: alice, idempotencyKey: 'first' });
    await host.command(Add, { id: 'a', amount: 1 }, { principal: alice, idempotencyKey: 'K' });
    clock.advance(8 * 24 * 3600 * 1000);
    await host.command(Add, { id: 'a', amount: 1 }, { principal: alice, idempotencyKey: 'later' });
    const again = await host.command(
      Add,
      { id: 'a', amount: 1 },
      { principal: alice, idempotencyKey: 'K' },
    );
    expect(again).toMatchObject({ ok: true, repeated: false });
    const creating = await host.command(
      Add,
      { id: 'a', amount: 1 },
      { principal: alice, idempotencyKey: 'first' },
    );
    expect(creating).toMatchObject({ ok: true, repeated: true });
  });

  test('with input that does not fit names the field', async () => {
    const reply = await newHost(newStore()).command(
      Add,
      { id: 'a', amount: 1.5 },
      { principal: alice, idempotencyKey: 'K' },
    );
    expect(reply).toMatchObject({
      ok: false,
      refusal: { code: 'INVALID_INPUT', path: ['amount'] },
    });
  });

  test('on a stream of another tenant is answered as if the stream were missing', async () => {
    const host = newHost(newStore());
    await host.command(Add, { id: 'a', amount: 90 }, { principal: alice, idempotencyKey: 'K' });
    // On its own state of nothing, 20 would be taken: so it must not be Alice's state that refuses.
    const foreign = await host.command(
      Add,
      { id: 'a', amount: 20 },
      { principal: bob, idempotencyKey: 'K' },
    );
    expect(foreign).toMatchObject({ ok: false, refusal: { code: 'NOT_FOUND' } });
  });

  test('that says which tenant it is about is walled there, and not at the stream’s owner', async () => {
    const host = newHost(newStore());
    await host.command(Add, { id: 'a', amount: 90 }, { principal: alice, idempotencyKey: 'K' });
    const share = (principal: Principal, whose: string, amount: number) =>
      host.command(
        Share,
        { id: 'a', whose, amount },
        { principal, idempotencyKey: `${whose} ${amount}` },
      );
    expect(await share(bob, 'bob', 10)).toMatchObject({ ok: true, result: { total: 10 } });
    expect(await share(bob, 'bob', 20)).toMatchObject({ refusal: { code: 'TOO_MUCH' } });
    // As if it were missing: neither the state nor the owner shows.
    expect(await share(bob, 'alice', 20)).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
    expect(await share(alice, 'bob', 20)).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
  });
});

test('what changes nothing is answered by what follows from its key', async () => {
  const store = newStore();
  const host = newHost(store);
  await host.command(Add, { id: 'a', amount: 1 }, { principal: bob, idempotencyKey: 'K' });
  const nothing = { id: 'a', whose: 'bob', amount: 0 };
  const replies = [];
  for (let n = 0; n < 2; n++) {
    replies.push(await host.command(Share, nothing, { principal: bob, idempotencyKey: 'N' }));
  }
  expect(replies[0]).toMatchObject({ ok: true, position: undefined });
  expect(replies[1]).toEqual(replies[0]);
});

describe('a race', () => {
  test('many commands at once on one stream are all decided in turn and share appends', async () => {
    const store = newStore();
    let appends = 0;
    const counted = wrapped(store, (next) => (...args) => {
      appends += 1;
      return next(...args);
    });
    const host = newHost(counted);
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        host.command(Add, { id: 'a', amount: 1 }, { principal: alice, idempotencyKey: `${i}` }),
      ),
    );
    expect(replies.filter((r) => r.ok)).toHaveLength(100);
    expect(replies.filter((r) => !r.ok && r.refusal.code === 'TOO_MUCH')).toHaveLength(100);
    expect(await events(store, 'counter-a')).toHaveLength(100);
    expect(appends).toBeLessThan(20);
  });

  test('decided by two hosts at once, a moment apart, is done by one, and both know what it was', async () => {
    const store = newStore();
    const begin = Date.parse('2026-04-10T09:00:00.000Z');
    const [early, late] = [new ManualClock(begin), new ManualClock(begin + 5)];
    const hosts = [newHost(store, late), newHost(store, early)];
    const call = { principal: alice, idempotencyKey: 'K' };
    const replies = await Promise.all(
      hosts.map((host) => host.command(Add, { id: 'a', amount: 1 }, call)),
    );
    expect(replies.map((reply) => reply.ok && reply.repeated).sort()).toEqual([false, true]);
    // Whoever was second has the state, and with it the time, of what is in the log.
    for (const [n, host] of hosts.reverse().entries()) {
      const next = { principal: alice, idempotencyKey: `next ${n}` };
      expect(await host.command(Add, { id: 'a', amount: 1 }, next)).toMatchObject({ ok: true });
    }
    const page = await store.readStream('counter-a', { limit: 10 });
    const times = page.exists ? page.events.map(({ time }) => time) : [];
    expect(times).toHaveLength(3);
    expect([...times].sort()).toEqual(times);
  });

  test('two hosts on one store never go over, and never refuse on stale state', async () => {
    const store = newStore();
    const [one, two] = [newHost(store), newHost(store)];
    const send = (host: CommandHost, key: string, amount: number) =>
      host.command(Add, { id: 'a', amount }, { principal: alice, idempotencyKey: key });
    await send(one, '1', 60);
    expect(await send(two, '2', 60)).toMatchObject({ ok: false, refusal: { code: 'TOO_MUCH' } });
    // Host two takes room back; host one still holds the older state and must look before refusing.
    expect(await send(two, '3', -50)).toMatchObject({ ok: true });
    expect(await send(one, '4', 60)).toMatchObject({ ok: true });
    const both = await Promise.all(
      Array.from({ length: 60 }, (_, i) => send(i % 2 === 0 ? one : two, `r${i}`, 1)),
    );
    expect(both.filter((r) => r.ok)).toHaveLength(30);
    const total = (await events(store, 'counter-a')).reduce((sum, e) => sum + e.amount, 0);
    expect(total).toBe(100);
  });

  test('lost again and again ends in the retryable CONTENTION, with nothing done', async () => {
    const store = newStore();
    const losing = wrapped(
      store,
      () => () => Promise.reject(new EventStoreError('conflict', 'somebody was first')),
    );
    const clock = new ManualClock('2026-04-10T09:00:00.000Z');
    const reply = newHost(losing, clock).command(
      Add,
      { id: 'a', amount: 1 },
      { principal: alice, idempotencyKey: 'K' },
    );
    let answered = false;
    void reply.then(() => (answered = true));
    while (!answered) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1000);
    }
    expect(await reply).toMatchObject({
      ok: false,
      refusal: { code: 'CONTENTION', retryable: true },
    });
    expect(await events(store, 'counter-a')).toHaveLength(0);
  });
});

describe('a command that names a revision', () => {
  const add = (
    host: CommandHost,
    key: string,
    expectedRevision: string | undefined,
    amount = 1,
    principal = alice,
  ) => host.command(Add, { id: 'a', amount }, { principal, idempotencyKey: key, expectedRevision });
  const conflict = (expected: string, actual: string) => ({
    ok: false,
    refusal: {
      code: 'VERSION_CONFLICT',
      path: ['expectedVersion'],
      details: { expected, actual },
    },
  });

  test('is done only while that is the last one, also where it would do nothing', async () => {
    const store = newStore();
    const host = newHost(store);
    await add(host, '1', undefined);
    expect(await add(host, '2', '0')).toMatchObject({ ok: true, revision: 1n });
    expect(await add(host, '3', '0')).toMatchObject(conflict('0', '1'));
    expect(await add(host, '4', '2')).toMatchObject(conflict('2', '1'));
    expect(await add(host, '5', '0', 0)).toMatchObject(conflict('0', '1'));
    // What the aggregate would refuse is not even asked: it was decided on something else.
    expect(await add(host, '6', '0', 1000)).toMatchObject(conflict('0', '1'));
    expect(await events(store, 'counter-a')).toHaveLength(2);
  });

  test('sent again gets its first answer, whatever has happened since and whatever it names', async () => {
    const store = newStore();
    const host = newHost(store);
    await add(host, '1', undefined);
    const first = await add(host, '2', '0');
    await add(host, '3', undefined);
    for (const named of ['0', '7', undefined]) {
      expect(await add(host, '2', named)).toEqual({ ...first, repeated: true });
    }
  });

  test('is refused on the store’s present end, not on what this host remembers', async () => {
    const store = newStore();
    const [one, two] = [newHost(store), newHost(store)];
    await add(one, '1', undefined);
    await add(two, '2', undefined);
    // Host one has seen revision 0 only.
    expect(await add(one, '3', '1')).toMatchObject({ ok: true, revision: 2n });
    expect(await add(two, '4', '1')).toMatchObject(conflict('1', '2'));
  });

  test('wins alone of all that name the same one, on however many hosts', async () => {
    const store = newStore();
    const all = [newHost(store), newHost(store), newHost(store)];
    await add(all[0] ?? newHost(store), 'first', undefined);
    for (let round = 0; round < 10; round++) {
      const replies = await Promise.all(
        all.flatMap((host, h) =>
          [0, 1, 2].map((i) => add(host, `${round} ${h} ${i}`, String(round))),
        ),
      );
      expect(replies.filter((reply) => reply.ok)).toHaveLength(1);
      for (const reply of replies.filter((one) => !one.ok)) {
        expect(reply).toMatchObject(conflict(String(round), String(round + 1)));
      }
    }
    expect(await events(store, 'counter-a')).toHaveLength(11);
  });

  test('of another tenant’s stream, or of none, learns nothing of its revision', async () => {
    const host = newHost(newStore());
    await add(host, '1', undefined);
    const foreign = await add(host, '1', '5', 1, bob);
    expect(foreign).toMatchObject({ ok: false, refusal: { code: 'NOT_FOUND' } });
  });

  test('must name one', async () => {
    const host = newHost(newStore());
    for (const named of ['', 'x', '-1', '1.0']) {
      expect(await add(host, '1', named)).toMatchObject({
        ok: false,
        refusal: { code: 'INVALID_INPUT', path: ['expectedVersion'] },
      });
    }
  });
});

describe('an append with unknown outcome', () => {
  test('freezes its stream until the identical append is answered; the command happens once', async () => {
    const store = newStore();
    const sent: (readonly NewEvent[])[] = [];
    let unknown = 3;
    const flaky = wrapped(store, (next) => async (...args) => {
      sent.push(args[2]);
      const result = await next(...args);
      if (unknown-- > 0) throw new EventStoreError('outcome-unknown', 'no reply');
      return result;
    });
    const clock = new ManualClock('2026-04-10T09:00:00.000Z');
    const host = newHost(flaky, clock);
    const replies = [1, 2].map((n) =>
      host.command(Add, { id: 'a', amount: n }, { principal: alice, idempotencyKey: `${n}` }),
    );
    let answered = 0;
    for (const reply of replies) void reply.then(() => (answered += 1));
    while (answered < 2) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(100);
    }
    for (const reply of replies) expect(await reply).toMatchObject({ ok: true, repeated: false });
    expect(sent.slice(0, 4).map((events) => events.map((e) => e.id).join())).toEqual(
      Array.from({ length: 4 }, () => sent[0]?.map((e) => e.id).join()),
    );
    expect((await events(store, 'counter-a')).map((e) => e.amount)).toEqual([1, 2]);
  });
});

test('a command too large for the store does not take its neighbours down', async () => {
  const store = newStore();
  const host = newHost(store);
  const replies = await Promise.all([
    host.command(Add, { id: 'a', amount: 1 }, { principal: alice, idempotencyKey: '1' }),
    host.command(
      Add,
      { id: 'a', amount: 1, note: 'x'.repeat(70_000) },
      { principal: alice, idempotencyKey: '2' },
    ),
    host.command(Add, { id: 'a', amount: 1 }, { principal: alice, idempotencyKey: '3' }),
  ]);
  expect(replies.map((r) => r.ok)).toEqual([true, false, true]);
  expect(replies[1]).toMatchObject({ refusal: { code: 'TOO_LARGE' } });
});

test('a command about an erased person is refused; keys out of reach are asked again; damage is a defect', async () => {
  const store = newStore();
  const sent = (code: KeyError['code']) =>
    newHost(store, undefined, () =>
      Promise.reject(new KeyError(code, 'per_… of the keys')),
    ).command(Add, { id: 'a', amount: 1 }, { principal: alice, idempotencyKey: '1' });
  const erased = await sent('erased');
  expect(erased).toMatchObject({ refusal: { code: 'PERSON_ERASED' } });
  expect(erased).not.toHaveProperty('refusal.retryable');
  expect(await sent('unavailable')).toMatchObject({
    refusal: { code: 'UNAVAILABLE', retryable: true },
  });
  await expect(sent('corrupt')).rejects.toMatchObject({ code: 'corrupt' });
  expect(await events(store, 'counter-a')).toEqual([]);
});

test('what policies are shown of a state never changes under them', async () => {
  const host = newHost(newStore());
  await host.command(Add, { id: 'a', amount: 1 }, { principal: alice, idempotencyKey: '1' });
  const before = await host.load(counter, 'counter-a');
  await host.command(Add, { id: 'a', amount: 1 }, { principal: alice, idempotencyKey: '2' });
  const after = await host.load(counter, 'counter-a');
  expect([before.state.total, after.state.total]).toEqual([1, 2]);
  expect((await host.load(counter, 'counter-a', 0n)).state.total).toBe(1);
});
