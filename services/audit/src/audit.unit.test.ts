/** The trail is complete, pages stably both ways, keeps the tenant wall, and remembers who looked. */
import { PROVIDER_ID, TenantClosed, TenantRenamed } from '@bivouac/events/accounts';
import { AccessRecorded } from '@bivouac/events/audit';
import { type Decided, eventRegistry, type Principal } from '@bivouac/events/language';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { memoryBlobs } from '@bivouac/infra/blobs';
import { embeddedBus } from '@bivouac/infra/bus';
import { memoryEventStore } from '@bivouac/infra/event-store';
import { memoryKeys } from '@bivouac/infra/keys';
import { createLogger, ManualClock, startHost } from '@bivouac/infra/runtime';
import { memorySecrets } from '@bivouac/infra/secrets';
import { memoryViews } from '@bivouac/infra/views';
import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { z } from 'zod';

import { RecordAccess, TrailOf } from './api/index.ts';
import { auditService } from './service.ts';

const START = '2026-04-10T09:00:00.000Z';
const one = deriveId('tenant', 'one');
const other = deriveId('tenant', 'other');
const registry = eventRegistry(auditService.events);
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const staff: Principal = {
  ...{ id: 'key_staff', kind: 'key', memberId: 'mem_staff', reach: 'all', audience: 'staff' },
  ...{ tenantId: PROVIDER_ID, homeId: PROVIDER_ID },
};

function ownerOf(tenantId: string): Principal {
  return {
    ...{ id: `key of ${tenantId}`, kind: 'key', audience: 'customer' },
    ...{ tenantId, homeId: tenantId, reach: new Set([tenantId]) },
  };
}

type Question = z.input<typeof TrailOf.input>;

async function world() {
  const store = memoryEventStore();
  const clock = new ManualClock(START);
  const host = await startHost({
    services: [auditService],
    ...{ store, clock, views: () => memoryViews(), bus: embeddedBus({ store, clock }) },
    ports: {
      ...{ blobs: memoryBlobs(), keys: memoryKeys(), secrets: memorySecrets() },
      random: (bytes) => new Uint8Array(bytes),
    },
    logger: createLogger('silent'),
    providerId: () => PROVIDER_ID,
    onFailure: (error) => {
      throw error;
    },
  });
  stops.push(() => host.stop(1000));
  let appended = 0;
  const ask = async (principal: Principal, question: Question) => {
    await host.settled();
    return host.query(TrailOf, question, { principal });
  };
  /** As the gateway does it for staff. */
  const look = async (question: Question, principal = staff, reason?: string) => {
    const reply = await host.command(
      RecordAccess,
      { ...question, ...(reason !== undefined && { reason }) },
      { principal, idempotencyKey: `look ${++appended}` },
    );
    if (!reply.ok) throw new Error(reply.refusal.message);
    return ask(principal, { ...question, access: reply.result.access });
  };
  return {
    store,
    clock,
    host,
    ask,
    look,
    append: async (stream: string, event: Decided, homeId: string, more: object = {}) => {
      const page = await store.readStream(stream);
      const commandkey = uuidOf('append', stream, `${++appended}`);
      const { position } = await store.append(stream, page.exists ? page.head : 'no-stream', [
        {
          ...registry.encode(event),
          ...{ id: uuidOf(commandkey, '0'), type: event.type, time: instantOf(clock.now()) },
          ...{ tenantid: homeId, homeid: homeId, actorid: 'key_a', commandkey, inputhash: '' },
          ...{ correlationid: commandkey, causationid: commandkey },
          ...more,
        },
      ]);
      return position;
    },
  };
}

const about = (tenantId: string) =>
  ({ tenantId, homeId: tenantId, kind: 'customer', parentId: PROVIDER_ID }) as const;
const renamed = (tenantId: string, name: string): Decided =>
  TenantRenamed({ ...about(tenantId), name });
const closed = (tenantId: string): Decided =>
  TenantClosed({ ...about(tenantId), reason: 'moved away' });

function itemsOf(reply: Awaited<ReturnType<Awaited<ReturnType<typeof world>>['ask']>>) {
  if (!reply.ok) throw new Error(`${reply.refusal.code}: ${reply.refusal.message}`);
  return reply.result.items.map(({ node }) => node);
}

const page = { limit: 100, reverse: false };

test('the history of an object has all streams about it, in log order; a stream has its own', async () => {
  const { append, ask } = await world();
  await append(`tree-${one}`, renamed(one, 'a'), one);
  await append(`tree-${other}`, renamed(other, 'b'), other);
  await append(`ledger-${one}`, renamed(one, 'c'), one);
  await append(`tree-${one}`, closed(one), one);
  const owner = ownerOf(one);
  const all = itemsOf(await ask(owner, { filter: { object: one }, page }));
  expect(all.map(({ stream, revision }) => [stream, revision])).toEqual([
    [`tree-${one}`, '0'],
    [`ledger-${one}`, '0'],
    [`tree-${one}`, '1'],
  ]);
  expect(all[0]?.data).toEqual({ ...about(one), name: 'a' });
  const tree = itemsOf(await ask(owner, { filter: { object: `tree-${one}` }, page }));
  expect(tree.map(({ type }) => type)).toEqual([TenantRenamed.type, TenantClosed.type]);
});

test('a tenant is a wall: by whatever filter, nothing of another is answered', async () => {
  const { append, ask } = await world();
  await append(`tree-${one}`, renamed(one, 'a'), one);
  await append(`tree-${other}`, renamed(other, 'b'), other);
  const filters = [
    { object: one },
    { actor: 'key_a' },
    { home: one },
    { types: [TenantRenamed.type] },
    {},
  ];
  for (const filter of filters) {
    const seen = itemsOf(await ask(ownerOf(other), { filter, page }));
    expect(seen.filter(({ tenantId }) => tenantId !== other)).toEqual([]);
  }
});

test("staff's look is in the log before the answer, once for each, and allows only that look", async () => {
  const { append, ask, look, host, store } = await world();
  await append(`tree-${one}`, renamed(one, 'a'), one);
  const question = { filter: { home: one }, page };
  const without = await ask(staff, question);
  expect(without).toMatchObject({ ok: false, refusal: { code: 'NOT_ALLOWED' } });
  expect(itemsOf(await look(question, staff, 'ticket 1'))).toHaveLength(1);
  expect(itemsOf(await look(question))).toHaveLength(1);

  const { events } = await store.readAll();
  const recorded = events.filter(({ type }) => type === AccessRecorded.type);
  expect(recorded.map((event) => registry.decode(event)?.data)).toMatchObject([
    { what: { home: one }, by: 'mem_staff', audience: 'staff', reason: 'ticket 1' },
    { what: { home: one }, by: 'mem_staff', audience: 'staff' },
  ]);
  const access = recorded[0]?.stream;
  for (const [principal, changed] of [
    [staff, { filter: { home: other }, page }],
    [staff, { filter: { home: one }, page: { ...page, limit: 99 } }],
    [{ ...staff, memberId: 'mem_another' }, question],
  ] as const) {
    const reply = await host.query(
      TrailOf,
      { ...changed, ...(access && { access }) },
      { principal },
    );
    expect(reply).toMatchObject({ ok: false, refusal: { code: 'NOT_ALLOWED' } });
  }
});

test("a tenant's look at its own leaves no trace, and it cannot record one", async () => {
  const { append, ask, host, store } = await world();
  await append(`tree-${one}`, renamed(one, 'a'), one);
  expect(itemsOf(await ask(ownerOf(one), { filter: {}, page }))).toHaveLength(1);
  const refused = await host.command(
    RecordAccess,
    { filter: {}, page },
    { principal: ownerOf(one), idempotencyKey: 'k' },
  );
  expect(refused.ok).toBe(false);
  expect((await store.readAll()).events).toHaveLength(1);
});

test('every page in both directions adds up to exactly what a filter says', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          object: fc.constantFrom(one, other),
          actor: fc.constantFrom('key_a', 'key_b'),
          closes: fc.boolean(),
          // Recorded times may run backwards between streams.
          minute: fc.integer({ min: 0, max: 400 }),
        }),
        { maxLength: 25 },
      ),
      fc.record(
        {
          object: fc.constantFrom(one, other),
          actor: fc.constantFrom('key_a', 'key_b'),
          home: fc.constantFrom(one, other),
          types: fc.constantFrom<string[]>(
            [],
            [TenantClosed.type],
            [TenantClosed.type, TenantRenamed.type],
          ),
          from: fc.integer({ min: 0, max: 200 }).map(at),
          to: fc.integer({ min: 201, max: 420 }).map(at),
          afterPosition: fc.integer({ min: 0, max: 27 }).map(positionText),
          upToPosition: fc.integer({ min: 0, max: 27 }).map(positionText),
        },
        { requiredKeys: [] },
      ),
      fc.integer({ min: 1, max: 7 }),
      async (facts, filter, limit) => {
        const { append, look, store, host } = await world();
        for (const [i, { object, actor, closes, minute }] of facts.entries()) {
          const event = closes ? closed(object) : renamed(object, 'n');
          await append(`thing${i}-${object}`, event, object, { actorid: actor, time: at(minute) });
        }
        await host.settled();
        const all = (await store.readAll()).events;
        const last = all.at(-1)?.position ?? positionText(0);
        const upTo = [filter.upToPosition ?? last, last].sort()[0] ?? last;
        const expected = all.filter(
          (e) =>
            (filter.object === undefined || e.stream.endsWith(filter.object)) &&
            (filter.actor === undefined || e.actorid === filter.actor) &&
            (filter.home === undefined || e.homeid === filter.home) &&
            (!filter.types?.length || filter.types.includes(e.type)) &&
            (filter.from === undefined || e.time >= filter.from) &&
            (filter.to === undefined || e.time < filter.to) &&
            (filter.afterPosition === undefined || e.position > filter.afterPosition) &&
            e.position <= upTo,
        );
        for (const reverse of [false, true]) {
          const read: string[] = [];
          let cursor: string | undefined;
          for (;;) {
            const reply = await look({
              filter: { ...filter, upToPosition: upTo },
              page: {
                limit,
                reverse,
                ...(cursor && (reverse ? { before: cursor } : { after: cursor })),
              },
            });
            const found = itemsOf(reply).map(({ position }) => position);
            if (reverse) read.unshift(...found);
            else read.push(...found);
            cursor = reverse ? found[0] : found.at(-1);
            if (!reply.ok || !(reverse ? reply.result.hasPrevious : reply.result.hasNext)) break;
          }
          expect(read).toEqual(expected.map(({ position }) => position));
        }
        await stops.pop()?.();
      },
    ),
    { numRuns: 30 },
  );
});

test('a cursor that is none and a range that ends before it begins are refused by name', async () => {
  const { ask } = await world();
  const owner = ownerOf(one);
  expect(await ask(owner, { filter: {}, page: { ...page, after: 'x' } })).toMatchObject({
    refusal: { code: 'INVALID_INPUT', path: ['after'] },
  });
  expect(await ask(owner, { filter: { from: at(2), to: at(1) }, page })).toMatchObject({
    refusal: { code: 'INVALID_INPUT', path: ['filter', 'to'] },
  });
  expect(itemsOf(await ask(owner, { filter: { object: 'nothing' }, page }))).toEqual([]);
});

function at(minute: number): string {
  return instantOf(Date.parse(START) + minute * 60_000);
}

function positionText(n: number): string {
  return String(n).padStart(20, '0');
}
