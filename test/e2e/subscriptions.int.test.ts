/** Following an operation or a container over a real connection: nothing lost, nothing twice. */
import { setImmediate } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { idFromUuid } from '@bivouac/events/values';
import fc from 'fast-check';
import { createClient } from 'graphql-sse';

import { events, type NextResult, type Sent, serve, type Subscribing } from './event-stream.ts';
import { closeAll, open, type Running } from './installation.ts';

let running: Running;
let served: Awaited<ReturnType<typeof serve>>;
const BEGINNING = '0'.repeat(20);

beforeAll(async () => {
  running = await open();
  served = await serve(running);
});
afterAll(async () => {
  served.server.closeAllConnections();
  await new Promise((resolve) => served.server.close(resolve));
  await closeAll();
});

const OPERATION = `subscription ($id: ID!, $after: Position) { it: operation(id: $id, after: $after) {
  position version type time operation { id status progress endedAt } } }`;
const CONTAINER = `subscription ($id: ID!, $after: Position) { it: container(id: $id, after: $after) {
  position version type container { hostname lifecycle } } }`;

function of(query: string, id: string, after?: string, key = running.keys.owner): Subscribing {
  return { url: served.url, key, query, variables: { id, after } };
}

/** Takes at most so many answers and drops the connection; whether it was complete by then. */
async function take(
  subscribing: Subscribing,
  count = Infinity,
): Promise<{ readonly taken: NextResult[]; readonly ids: string[]; readonly complete: boolean }> {
  const taken: NextResult[] = [];
  const ids: string[] = [];
  if (count === 0) return { taken, ids, complete: false };
  for await (const sent of events(subscribing)) {
    if (sent.event === 'complete') return { taken, ids, complete: true };
    if (sent.event === 'beat') continue;
    taken.push(sent.result);
    ids.push(sent.id ?? '');
    if (taken.length >= count) break;
  }
  return { taken, ids, complete: false };
}

const positions = (results: readonly NextResult[]): unknown[] =>
  results.map(({ data }) => data?.['it']?.['position']);

/** Every position of an object's stream, as the log has them. */
async function inTheLog(stream: string): Promise<string[]> {
  const page = await running.installation.store.readStream(stream, { limit: 500 });
  return page.exists ? page.events.map(({ position }) => position) : [];
}

describe('an operation', () => {
  test('is told change by change while it goes on, and is complete when it has ended', async () => {
    const accepted = await running.order({ hostname: 'live.example.com' });
    const id = accepted.operationId ?? '';
    const { taken, ids, complete } = await take({
      ...of(OPERATION, id, BEGINNING),
    });
    expect(complete).toBe(true);
    expect(positions(taken)).toEqual(await inTheLog(`operation-${id}`));
    expect(ids).toEqual(positions(taken));
    expect(taken.map(({ data }) => data?.['it']?.['version'])).toEqual(
      taken.map((_, i) => String(i)),
    );
    expect(taken.at(-1)?.data?.['it']).toMatchObject({
      type: 'provisioning.OperationSucceeded',
      operation: { id, status: 'SUCCEEDED', progress: 100 },
    });
  });

  test('cut off anywhere and however often, is told in parts that make up the whole', async () => {
    const { id } = await running.end(await running.order({ hostname: 'ended.example.com' }));
    const whole = await inTheLog(`operation-${id}`);
    expect(whole.length).toBeGreaterThan(8);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 5 }), fc.boolean()), { maxLength: 8 }),
        async (cuts) => {
          const told: unknown[] = [];
          let at = BEGINNING;
          for (const [count, byHeader] of [...cuts, [Infinity, true] as const]) {
            const part = await take(
              byHeader
                ? { ...of(OPERATION, id, BEGINNING), lastEventId: at }
                : of(OPERATION, id, at),
              count,
            );
            told.push(...positions(part.taken));
            at = part.ids.at(-1) ?? at;
            if (part.complete) break;
          }
          expect(told).toEqual(whole);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('cut off while it goes on, is told the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uuid(),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
        async (name, cuts) => {
          const order = await running.order({ hostname: `h${name.slice(0, 8)}.example.com` }, name);
          const id = order.operationId ?? '';
          const told: unknown[] = [];
          let at = BEGINNING;
          for (const count of [...cuts, Infinity]) {
            const part = await take(of(OPERATION, id, at), count);
            told.push(...positions(part.taken));
            at = part.ids.at(-1) ?? at;
            if (part.complete) break;
          }
          expect(told).toEqual(await inTheLog(`operation-${id}`));
        },
      ),
      { numRuns: 5 },
    );
  });

  test('that has ended tells its newest change and is complete', async () => {
    const { id } = await running.end(await running.order({ hostname: 'once.example.com' }));
    const { taken, complete } = await take(of(OPERATION, id));
    expect(complete).toBe(true);
    expect(positions(taken)).toEqual((await inTheLog(`operation-${id}`)).slice(-1));
  });

  test('is told to a client of the protocol (graphql-sse)', async () => {
    const { operationId: id = '' } = await running.order({ hostname: 'sse.example.com' });
    const client = createClient({
      url: served.url,
      headers: { authorization: `Bearer ${running.keys.owner}` },
      retryAttempts: 0,
    });
    const told: unknown[] = [];
    for await (const { data } of client.iterate<{ it: { position: string } }>({
      query: OPERATION,
      variables: { id, after: BEGINNING },
    })) {
      told.push(data?.it.position);
    }
    client.dispose();
    expect(told).toEqual(await inTheLog(`operation-${id}`));
  });

  test('that is another’s is answered as one that does not exist', async () => {
    const { operationId: id = '' } = await running.order({ hostname: 'mine.example.com' });
    const other = await running.anotherCustomer('subscriber');
    const unknown = idFromUuid('operation', '01890000-0000-7000-8000-000000000000');
    const answers = [];
    for (const asked of [id, unknown]) {
      const { taken, complete } = await take({ ...of(OPERATION, asked), key: other.key });
      expect(complete).toBe(true);
      answers.push(taken);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.[0]?.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
  });
});

describe('a container', () => {
  /** One that runs, and whoever follows it: its events so far are read. */
  async function followed(key = running.keys.owner, actingId?: string) {
    const id = await running.running({
      hostname: `c${Math.floor(running.clock.now())}.example.com`,
    });
    const cut = new AbortController();
    const stream = events({ ...of(CONTAINER, id, undefined, key), actingId }, cut);
    return { id, stream, cut, next: () => nextOf(stream) };
  }

  async function nextOf(stream: AsyncGenerator<Sent>): Promise<Sent | undefined> {
    for (;;) {
      const next = await stream.next();
      if (next.done === true) return undefined;
      if (next.value.event !== 'beat') return next.value;
    }
  }

  /** Turns of the event loop until it is so; the test's timeout ends it. */
  async function until(condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) await setImmediate();
  }

  /** Between two steps of the clock, whatever is asked meanwhile is answered: no time of it runs out. */
  async function asLongAsAnAnswer(): Promise<void> {
    await running.knows(idFromUuid('container', '01890000-0000-7000-8000-000000000000'));
    // In one process that takes no turn of the event loop.
    for (let turn = 0; turn < 50; turn++) await setImmediate();
  }

  /** What comes next within five seconds of the clock. */
  async function endedSoon(next: () => Promise<Sent | undefined>): Promise<Sent | undefined> {
    const { clock } = running;
    const ended = next();
    const before = clock.now();
    let over = false;
    void ended.then(() => (over = true));
    while (!over && clock.now() < before + 5000) {
      clock.advance(250);
      await asLongAsAnAnswer();
    }
    const sent = await ended;
    expect(clock.now() - before).toBeLessThanOrEqual(5000);
    return sent;
  }

  const open = async (): Promise<number> => running.installation.gateway.subscriptions;

  test('tells each change as it comes; a dropped connection is noticed and nothing is left', async () => {
    const { id, stream, next } = await followed();
    expect(await next()).toMatchObject({ event: 'next' });
    for (const hostname of ['one.example.com', 'two.example.com']) {
      const renamed = await running.owner.mutate('renameContainer', { containerId: id, hostname });
      expect(await next()).toMatchObject({
        event: 'next',
        id: renamed.position,
        result: { data: { it: { container: { hostname } } } },
      });
    }
    expect(await open()).toBe(1);
    await stream.return(undefined);
    await until(async () => (await open()) === 0);
  });

  test('is told no more to who may not see it, within five seconds of a revocation', async () => {
    const { owner, seeded, installation } = running;
    const made = await owner.mutate('createApiKey', {
      accountId: seeded.customer.tenantId,
      memberId: seeded.ownerMemberId,
      label: 'to be revoked',
    });
    await installation.host.settled();
    const { id, next } = await followed(made.key ?? '');
    expect(await next()).toMatchObject({ event: 'next' });
    await owner.mutate('revokeApiKey', { keyId: made.keyId });
    await installation.host.settled();
    expect(await endedSoon(next)).toMatchObject({
      event: 'next',
      id: undefined,
      result: { errors: [{ extensions: { code: 'UNAUTHENTICATED', reason: 'KEY_REVOKED' } }] },
    });
    expect(await next()).toEqual({ event: 'complete' });
    await owner.mutate('renameContainer', { containerId: id, hostname: 'unseen.example.com' });
    expect(await next()).toBeUndefined();
    await until(async () => (await open()) === 0);
  });

  test.each(['the account ends it', 'its time is over'])(
    'is told no more in a session of the staff, within five seconds of when %s',
    async (how) => {
      const { staff, owner, seeded, installation, clock } = running;
      const { actingId = '' } = await staff.mutate('startActing', {
        ...{ accountId: seeded.customer.tenantId, reason: 'asked to look', minutes: 1 },
      });
      await installation.host.settled();
      const { id, next } = await followed(running.keys.staff, actingId);
      expect(await next()).toMatchObject({ event: 'next' });
      // As long as the session goes on, so does the subscription: it is asked for as it was opened.
      for (const hostname of ['first.example.com', 'second.example.com']) {
        clock.advance(2500);
        await owner.mutate('renameContainer', { containerId: id, hostname });
        expect(await next()).toMatchObject({
          result: { data: { it: { container: { hostname } } } },
        });
      }
      if (how === 'the account ends it') {
        expect(await owner.mutate('endActing', { actingId })).toMatchObject({
          __typename: 'ActingEnded',
        });
        await installation.host.settled();
      } else clock.advance(55_000);
      expect(await endedSoon(next)).toMatchObject({
        event: 'next',
        id: undefined,
        result: { errors: [{ extensions: { code: 'UNAUTHENTICATED', reason: 'ACTING_ENDED' } }] },
      });
      expect(await next()).toEqual({ event: 'complete' });
      // The same key without the session is told on.
      const own = await take(of(CONTAINER, id, undefined, running.keys.staff), 1);
      expect(positions(own.taken)).toHaveLength(1);
      const late = take({ ...of(CONTAINER, id, undefined, running.keys.staff), actingId });
      await expect(late).rejects.toThrow('ACTING_ENDED');
      await until(async () => (await open()) === 0);
    },
  );

  test('is told to nobody who was only invited', async () => {
    const id = await running.running({ hostname: 'invited.example.com' });
    const { token } = await running.owner.mutate('inviteMember', {
      ...{ accountId: running.seeded.customer.tenantId, role: 'OWNER', email: 'i@x.example' },
    });
    await running.installation.host.settled();
    const { taken, complete } = await take(of(CONTAINER, id, undefined, token ?? ''));
    expect(complete).toBe(true);
    expect(taken.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual(['FORBIDDEN']);
    await until(async () => (await open()) === 0);
  });

  test('gives a sign of life while nothing happens', async () => {
    const { stream, next } = await followed();
    expect(await next()).toMatchObject({ event: 'next' });
    let seen: Sent | undefined;
    const beat = stream.next().then(({ value }) => (seen = value as Sent));
    while (seen === undefined) {
      running.clock.advance(2000);
      await asLongAsAnAnswer();
    }
    await beat;
    expect(seen).toEqual({ event: 'beat' });
    await stream.return(undefined);
    await until(async () => (await open()) === 0);
  });

  test('is followed so often by an account and no more, and again once one has ended', async () => {
    const id = await running.running({ hostname: 'often.example.com' });
    const streams = [];
    for (let i = 0; i < 20; i++) {
      const stream = events(of(CONTAINER, id));
      expect(await nextOf(stream)).toMatchObject({ result: { data: { it: {} } } });
      streams.push(stream);
    }
    const refused = await take(of(CONTAINER, id));
    expect(refused).toMatchObject({
      complete: true,
      taken: [{ errors: [{ extensions: { code: 'SUBSCRIPTION_LIMIT', limit: 20 } }] }],
    });
    // The staff's are their own.
    const staffs = await take(of(CONTAINER, id, undefined, running.keys.staff), 1);
    expect(positions(staffs.taken)).toHaveLength(1);
    await streams[0]?.return(undefined);
    await until(async () => (await open()) === 19);
    const again = await take(of(CONTAINER, id), 1);
    expect(positions(again.taken)).toHaveLength(1);
    for (const stream of streams) await stream.return(undefined);
    await until(async () => (await open()) === 0);
  });

  test('ends with the process: the reader is told to come back, and connections close', async () => {
    const own = await serve(running);
    const id = await running.running({ hostname: 'last.example.com' });
    const stream = events({ ...of(CONTAINER, id), url: own.url });
    expect(await nextOf(stream)).toMatchObject({ event: 'next' });
    await running.installation.gateway.endSubscriptions();
    expect(await nextOf(stream)).toMatchObject({
      result: { errors: [{ extensions: { code: 'UNAVAILABLE', retryable: true } }] },
    });
    expect(await nextOf(stream)).toEqual({ event: 'complete' });
    expect(await nextOf(stream)).toBeUndefined();
    // Resolves only once no connection is left.
    await new Promise((resolve) => own.server.close(resolve));
    const late = await take(of(CONTAINER, id));
    expect(late.taken[0]?.errors?.[0]?.extensions.code).toBe('UNAVAILABLE');
  });
});

test('without Accept: text/event-stream a subscription is refused and says what to send', async () => {
  const { data, errors, status } = await running.owner.ask(
    'subscription { operation(id: "op_x") { position } }',
  );
  expect([status, data, errors.map(({ code }) => code)]).toEqual([406, null, ['BAD_REQUEST']]);
  expect(errors[0]?.message).toContain('text/event-stream');
});
