/**
 * What a caller is told is true, however its replicas fail: nothing was done, or it may have been, or
 * the service's answer. Which replica is asked changes no answer.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { ManualClock } from '../runtime/clock.ts';
import { createLogger } from '../runtime/logging.ts';
import { callServices, type CallServicesOptions } from './client.ts';
import type { Identity } from './identity.ts';
import { Add, principal, Totals } from './sample-calls.ts';
import type { Exchange, Transport } from './transport.ts';

const identity: Identity = {
  name: 'gateway',
  publicKey: '',
  tokenFor: (service) => Promise.resolve(`token for ${service}`),
};

interface Sent {
  readonly url: string;
  readonly body: string;
  readonly deadlineMs: number;
}

/** Replicas that do as they are told, and a clock that moves whenever all wait for it. */
class Network {
  readonly clock = new ManualClock(1_000_000);
  readonly sent: Sent[] = [];
  #seed = 1;
  readonly random = (): number =>
    (this.#seed = (this.#seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  readonly #plans = new Map<string, (nth: number) => Exchange | 'silence'>();
  readonly addresses = new Map<string, readonly string[]>();

  /** What a replica does with the nth call it gets, from 0. */
  plan(url: string, does: (nth: number) => Exchange | 'silence'): void {
    this.#plans.set(url, does);
  }

  caller(urls: readonly string[], options: Partial<CallServicesOptions> = {}) {
    return callServices({
      services: new Map([['samples', urls]]),
      ...{ identity, clock: this.clock, logger: createLogger('silent'), random: this.random },
      resolve: (host) => {
        const found = this.addresses.get(host);
        return found === undefined
          ? Promise.reject(new Error('ENOTFOUND'))
          : Promise.resolve(found);
      },
      transport: ({ origin, address }): Transport => {
        const url = address ?? origin;
        return {
          exchange: async ({ body, deadlineMs, late }) => {
            const nth = this.sent.filter((one) => one.url === url).length;
            this.sent.push({ url, body, deadlineMs });
            const done = this.#plans.get(url)?.(nth) ?? answered;
            if (done !== 'silence') return done;
            if (!late.aborted)
              await new Promise<void>((resolve) => {
                late.addEventListener('abort', () => {
                  resolve();
                });
              });
            return { kind: 'lost', why: 'silence' };
          },
          close: () => Promise.resolve(),
        };
      },
      ...options,
    });
  }

  /** Lets time pass until it is settled, and says how much. */
  async settle<T>(promise: Promise<T>): Promise<{ value: T; ms: number }> {
    const from = this.clock.now();
    let over = false;
    const settled = promise.finally(() => (over = true));
    settled.catch(() => undefined);
    for (;;) {
      for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
      if (over) return { value: await settled, ms: this.clock.now() - from };
      this.clock.advance(5);
    }
  }
}

const answered: Exchange = {
  kind: 'answered',
  reply: {
    ok: true,
    result: { total: 1 },
    stream: 's',
    revision: '1',
    position: 'p',
    repeated: false,
  },
};
const refused: Exchange = {
  kind: 'answered',
  reply: { ok: false, refusal: { code: 'TOO_MUCH', message: 'Add less.' } },
};
const listed: Exchange = { kind: 'answered', reply: { ok: true, result: null, position: null } };
const unsent: Exchange = { kind: 'unsent', why: 'refused the connection' };
const lost: Exchange = { kind: 'lost', why: 'reset' };
const stopping: Exchange = { kind: 'turned-away', stopping: true, why: 'stopping' };
const away: Exchange = { kind: 'turned-away', stopping: false, why: 'its store is away' };
const notHere: Exchange = { kind: 'not-here', why: 'not trusted' };
const defect: Exchange = { kind: 'defect', why: 'a defect' };

const [a, b, c] = ['http://10.0.0.1:1', 'http://10.0.0.2:1', 'http://10.0.0.3:1'] as const;
const give = { principal, idempotencyKey: 'k' };
const add = { accountId: 'ten_1' };

test('a call that a replica did not answer is answered by another, as the same call', async () => {
  for (const failure of [unsent, lost, stopping, away, notHere]) {
    for (const failing of [a, b, c]) {
      const network = new Network();
      network.plan(failing, () => failure);
      const remote = network.caller([a, b, c]);
      for (let n = 0; n < 10; n++) {
        const { value } = await network.settle(
          remote.command(Add, { accountId: `ten_${n}` }, give),
        );
        expect(value).toMatchObject({ ok: true, result: { total: 1 }, revision: 1n });
      }
      for (const body of new Set(network.sent.map((one) => one.body)))
        expect(network.sent.filter((one) => one.body === body).length).toBeLessThanOrEqual(2);
      expect(new Set(network.sent.map(({ body }) => body)).size).toBe(10);
    }
  }
});

test('what the service refused or failed at is never sent again', async () => {
  for (const answer of [refused, defect]) {
    const network = new Network();
    for (const url of [a, b]) network.plan(url, () => answer);
    const remote = network.caller([a, b]);
    const { value } = await network.settle(
      remote.command(Add, add, give).catch((error: unknown) => error),
    );
    expect(value).toMatchObject(
      answer === refused ? { refusal: { code: 'TOO_MUCH' } } : { code: 'defect' },
    );
    expect(network.sent).toHaveLength(1);
  }
});

test('a caller is never told that a command is refused or was not done when it may be done', async () => {
  const any = fc.constantFrom<Exchange | 'silence'>(
    ...[unsent, lost, stopping, away, notHere, refused, answered, 'silence' as const],
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(any, { minLength: 1, maxLength: 6 }),
      any,
      fc.integer({ min: 1, max: 3 }),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      async (plan, rest, count, random) => {
        const network = new Network();
        const urls = [a, b, c].slice(0, count);
        let nth = 0;
        const said: (Exchange | 'silence')[] = [];
        for (const url of urls)
          network.plan(url, () => {
            const next = plan[nth++] ?? rest;
            said.push(next);
            return next;
          });
        const remote = network.caller(urls, {
          random: () => random,
          deadlineMs: 3_000,
          attemptMs: 500,
        });
        const { value, ms } = await network.settle(
          remote.command(Add, add, give).catch((error: unknown) => error),
        );
        const unknown = said.some((one) => one === lost || one === 'silence');
        expect(ms).toBeLessThanOrEqual(3_010);
        if (said.includes(answered)) expect(value).toMatchObject({ ok: true });
        else if (unknown)
          expect(value).toMatchObject({
            ok: false,
            refusal: { code: 'OUTCOME_UNKNOWN', retryable: true },
          });
        else if (said.includes(refused))
          expect(value).toMatchObject({ refusal: { code: 'TOO_MUCH' } });
        else if (said.at(-1) === notHere) expect(value).toMatchObject({ code: 'misconfigured' });
        else
          expect(value).toMatchObject({
            ok: false,
            refusal: { code: 'UNAVAILABLE', retryable: true },
          });
        // Every sending was the same command.
        expect(new Set(network.sent.map(({ body }) => body)).size).toBe(1);
      },
    ),
    { numRuns: 60 },
  );
});

test('a query is answered if any replica would, else unavailable', async () => {
  const network = new Network();
  for (const url of [a, b]) network.plan(url, () => lost);
  network.plan(c, () => listed);
  const remote = network.caller([a, b, c]);
  for (let n = 0; n < 5; n++) {
    const { value } = await network.settle(remote.query(Totals, add, { principal }));
    expect(value).toEqual({ ok: true, result: null, position: null });
  }
  network.plan(c, () => unsent);
  const { value, ms } = await network.settle(
    remote.query(Totals, add, { principal }).catch((error: unknown) => error),
  );
  expect(value).toMatchObject({ name: 'RuntimeError', code: 'unavailable' });
  expect(ms).toBeLessThanOrEqual(15_005);
});

test('a silent replica has its part of the deadline where there is another, and all of it where there is none', async () => {
  const network = new Network();
  network.plan(a, () => 'silence');
  network.plan(b, () => (network.sent.length === 1 ? 'silence' : answered));
  const remote = network.caller([a, b], { deadlineMs: 10_000, attemptMs: 4_000 });
  const { value, ms } = await network.settle(remote.command(Add, add, give));
  expect(value).toMatchObject({ ok: true });
  expect(network.sent.map(({ deadlineMs }) => deadlineMs)).toEqual([4_000, 4_000]);
  expect(ms).toBe(4_000);

  const alone = new Network();
  alone.plan(a, () => 'silence');
  const { value: told } = await alone.settle(
    alone.caller([a], { deadlineMs: 10_000, attemptMs: 4_000 }).command(Add, add, give),
  );
  expect(told).toMatchObject({ refusal: { code: 'OUTCOME_UNKNOWN' } });
  expect(alone.sent.map(({ deadlineMs }) => deadlineMs)).toEqual([10_000]);
});

test('what is sent again leaves the service what is left of the deadline, not all of it', async () => {
  const network = new Network();
  network.plan(a, (nth) => (nth === 0 ? away : nth === 1 ? unsent : answered));
  await network.settle(network.caller([a], { deadlineMs: 10_000 }).command(Add, add, give));
  const told = network.sent.map(({ deadlineMs }) => deadlineMs);
  expect(told).toHaveLength(3);
  expect(told[0]).toBe(10_000);
  expect(told[1]).toBeLessThan(10_000);
  expect(told[2]).toBeLessThan(told[1] ?? 0);
});

test('an outage is not multiplied: of calls that cost a service something few are sent again', async () => {
  const network = new Network();
  for (const url of [a, b]) network.plan(url, () => away);
  const remote = network.caller([a, b], { deadlineMs: 2_000 });
  const calls = Array.from({ length: 500 }, () =>
    remote.query(Totals, add, { principal }).catch(() => 'unavailable'),
  );
  const { value, ms } = await network.settle(Promise.all(calls));
  expect(value).toEqual(calls.map(() => 'unavailable'));
  expect(network.sent.length).toBeLessThanOrEqual(500 + 50 + 100 + Math.ceil((ms / 1000) * 5));
});

test('a replica that fails is left out for a while, longer each time, and taken back when it answers', async () => {
  const network = new Network();
  let down = true;
  network.plan(a, () => (down ? unsent : listed));
  network.plan(b, () => listed);
  const remote = network.caller([a, b]);
  const ask = () => network.settle(remote.query(Totals, add, { principal }));
  const asked = () => network.sent.filter(({ url }) => url === a).length;
  const states = () => remote.reachable().get('samples');
  while (asked() === 0) await ask();
  expect(states()).toEqual([
    { url: a, up: false, inFlight: 0 },
    { url: b, up: true, inFlight: 0 },
  ]);
  for (let n = 0; n < 20; n++) await ask();
  expect(asked()).toBe(1);
  const gaps: number[] = [];
  for (let failures = 1; failures < 9; failures++) {
    const from = network.clock.now();
    while (asked() === failures) {
      network.clock.advance(10);
      await ask();
    }
    gaps.push(network.clock.now() - from);
  }
  expect(gaps[0]).toBeGreaterThanOrEqual(50);
  expect(gaps.at(-1)).toBeGreaterThan(2_000);
  expect(Math.max(...gaps)).toBeLessThan(6_000);
  down = false;
  network.clock.advance(5_000);
  for (let n = 0; n < 4; n++) await ask();
  expect(states()?.every(({ up }) => up)).toBe(true);
});

test('where all are left out, all are tried', async () => {
  const network = new Network();
  for (const url of [a, b, c]) network.plan(url, (nth) => (nth === 0 ? unsent : listed));
  const remote = network.caller([a, b, c]);
  const { value } = await network.settle(remote.query(Totals, add, { principal }));
  expect(value).toMatchObject({ ok: true });
  expect(new Set(network.sent.map(({ url }) => url)).size).toBe(3);
});

test('commands on one subject go to one replica, whatever queries do; without it to the next', async () => {
  const network = new Network();
  for (const url of [a, b, c]) network.plan(url, () => answered);
  const remote = network.caller([a, b, c]);
  const went = async (accountId: string): Promise<string | undefined> => {
    await network.settle(remote.command(Add, { accountId }, give));
    return network.sent.at(-1)?.url;
  };
  const homes = new Map<string, string | undefined>();
  for (let n = 0; n < 30; n++) homes.set(`ten_${n}`, await went(`ten_${n}`));
  expect(new Set(homes.values()).size).toBe(3);
  for (const [accountId, url] of homes) expect(await went(accountId)).toBe(url);
  network.plan(a, () => unsent);
  for (const [accountId, url] of homes) {
    const now = await went(accountId);
    if (url === a) expect(now).not.toBe(a);
    else expect(now).toBe(url);
  }
});

test('every address of a host name is a replica; names are looked up again, and trouble with them changes nothing', async () => {
  const network = new Network();
  network.addresses.set('billing.internal', ['10.1.0.1', '10.1.0.2']);
  for (const address of ['10.1.0.1', '10.1.0.2', '10.1.0.3']) network.plan(address, () => listed);
  const remote = network.caller(['http://billing.internal:4201']);
  const ask = async (): Promise<Set<string>> => {
    network.sent.length = 0;
    for (let n = 0; n < 60; n++) await network.settle(remote.query(Totals, add, { principal }));
    return new Set(network.sent.map(({ url }) => url));
  };
  const pass = async (): Promise<void> => {
    network.clock.advance(5_000);
    for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
  };
  expect(await ask()).toEqual(new Set(['10.1.0.1', '10.1.0.2']));
  expect(
    remote
      .reachable()
      .get('samples')
      ?.map(({ url }) => url),
  ).toEqual([
    'http://billing.internal:4201 at 10.1.0.1',
    'http://billing.internal:4201 at 10.1.0.2',
  ]);
  network.addresses.set('billing.internal', ['10.1.0.2', '10.1.0.3']);
  await pass();
  expect(await ask()).toEqual(new Set(['10.1.0.2', '10.1.0.3']));
  network.addresses.delete('billing.internal');
  await pass();
  expect(await ask()).toEqual(new Set(['10.1.0.2', '10.1.0.3']));
});

test('a name that is not known yet is waited for; a service that nobody named is a mistake', async () => {
  const network = new Network();
  network.plan('10.1.0.1', () => listed);
  const remote = network.caller(['http://late.internal:4201']);
  const waiting = remote.query(Totals, add, { principal });
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
  network.addresses.set('late.internal', ['10.1.0.1']);
  expect((await network.settle(waiting)).value).toMatchObject({ ok: true });

  await expect(
    network.caller([], { services: new Map() }).query(Totals, add, { principal }),
  ).rejects.toMatchObject({
    code: 'misconfigured',
    message: expect.stringContaining('SERVICE_URLS'),
  });
});

test('an input beyond the bound is refused before it is sent', async () => {
  const network = new Network();
  const big = { accountId: 'x'.repeat(17 * 1024 * 1024) };
  const remote = network.caller([a]);
  expect(await remote.command(Add, big, give)).toMatchObject({ refusal: { code: 'TOO_LARGE' } });
  expect(await remote.query(Totals, big, { principal })).toMatchObject({
    refusal: { code: 'TOO_LARGE' },
  });
  expect(network.sent).toEqual([]);
});
