import { beforeEach, describe, expect, test } from '@jest/globals';
import { PROVIDER_ID, TenantCreated, type TenantKind } from '@bivouac/events/accounts';
import {
  type CommandContract,
  eventRegistry,
  type Principal,
  type QueryContract,
} from '@bivouac/events/language';
import { AddressesAttached, ContainerResized } from '@bivouac/events/containers';
import type { LeasedAddress, PlanTerms } from '@bivouac/events/operations';
import { deriveId, instantOf, type ResourceVector, uuidOf } from '@bivouac/events/values';
import { memoryEventStore } from '@bivouac/infra/event-store';
import {
  commandHost,
  type EdgePorts,
  isTransient,
  logReading,
  ManualClock,
  type PolicyContext,
  type QueryContext,
  type Responder,
  timers,
} from '@bivouac/infra/runtime';
import { memoryViews } from '@bivouac/infra/views';
import type { z } from 'zod';

import { LedgerHistory, QuotaOf, ReservationsOf, SetLimit } from './api/index.ts';
import { home, later, recorded, reservationId, vector } from './given.ts';
import { answerRelease, answerReserve, answerTransfer } from './policies/answer-asks.ts';
import { commitReservations } from './policies/commit-reservations.ts';
import { openLedger } from './policies/open-ledger.ts';
import { quotasService } from './service.ts';

const start = '2026-04-10T09:00:00.000Z';
const left = deriveId('tenant', 'left');
const one = vector({ containers: 1, memoryBytes: '1024' });
const page = { limit: 100 };
const ref = { operationId: deriveId('operation', 'x'), step: 'reserve', attempt: 1 };

const staff: Principal = {
  id: 'system:test',
  kind: 'system',
  tenantId: PROVIDER_ID,
  homeId: PROVIDER_ID,
  reach: 'all',
  rights: 'all',
  audience: 'staff',
};
const customer: Principal = {
  ...staff,
  kind: 'key',
  tenantId: left,
  homeId: home,
  reach: new Set([left]),
  rights: 'all',
  audience: 'customer',
};

const eur = (amount: string) => ({ amount, currency: 'EUR' });
const terms: PlanTerms = {
  ...{ planId: deriveId('plan', '1000'), code: '1000', name: 'VPS', includedAddresses: 1 },
  source: { stream: 'plan-x', revision: '0' },
  limits: { cpuMillis: 1, memoryBytes: '1', diskBytes: '1', processes: 1, cpuUnits: 8 },
  ...{ monthly: eur('1.00'), setup: eur('0.00'), extraAddressMonthly: eur('0.00') },
};
const leased: LeasedAddress = {
  ...{ leaseId: deriveId('lease', 'x'), rangeId: deriveId('range', 'x') },
  ...{ address: '192.0.2.10', family: 'ipv4' },
};

/** No command of quotas touches the edge. */
const ports = {
  keys: {
    hmac: (owner: string, bytes: Uint8Array) => uuidOf(owner, Buffer.from(bytes).toString()),
  },
  random: (bytes: number) => new Uint8Array(bytes),
} as unknown as EdgePorts;

let it: ReturnType<typeof fixture>;

function fixture() {
  const store = memoryEventStore();
  const clock = new ManualClock(start);
  const registry = eventRegistry(quotasService.events);
  const handlers = quotasService.commands;
  const host = commandHost({
    handlers,
    store,
    registry,
    clock,
    ports,
    providerId: () => PROVIDER_ID,
  });
  const views = memoryViews();
  let sent = 0;

  const log = async () => (await store.readAll({ limit: 1000 })).events;
  const applyTo = async (target: typeof views) => {
    for (const event of await log()) {
      if (event.position <= (target.checkpoint()?.position ?? '')) continue;
      const known = registry.decode(event);
      const { epoch, position, id: eventId } = event;
      target.apply({ epoch, position, eventId }, (view) => {
        for (const { handlers: by } of quotasService.projections)
          if (known !== undefined) by.get(known.type)?.(known, view);
      });
    }
    return target;
  };
  /** What a policy is given: commands under a key of its event. */
  const context = (eventId: string) =>
    ({
      execute: (contract: CommandContract, input: unknown, n = '') =>
        host.commandByName(contract.name, input, {
          principal: { ...staff, id: 'policy:test', kind: 'policy' },
          idempotencyKey: `${eventId}/${n}`,
        }),
    }) as unknown as PolicyContext;
  const asked = (notAfter: string) => {
    const [opened] = recorded([
      TenantCreated({
        tenantId: home,
        homeId: home,
        kind: 'customer',
        parentId: PROVIDER_ID,
        name: 'x',
        contact: null,
      }),
    ]);
    if (opened === undefined) throw new Error('nothing was recorded');
    return { ...opened, data: { ...opened.data, notAfter } };
  };

  return {
    clock,
    host,
    log,
    views,
    applyTo,
    open: async (tenantId: string, kind: TenantKind, parentId: string | null) => {
      const [event] = recorded([
        TenantCreated({ tenantId, homeId: home, kind, parentId, name: 'x', contact: null }),
      ]);
      if (event !== undefined) await openLedger.react(event, context(`open ${tenantId}`));
    },
    /** Hands an ask to its responder; the same `eventId` is the same ask delivered again. */
    answer: (responder: Responder, input: unknown, eventId = `ask ${++sent}`, notAfter = later) =>
      responder.act(input, ref, asked(notAfter), context(eventId)),
    undo: (responder: Responder, input: unknown) =>
      responder.undo(input, ref, asked(later), context(`undo ${++sent}`)),
    /** Addresses of this reservation have come into use, at its event delivered once more or first. */
    attached: async (name: string) => {
      const [event] = recorded([
        AddressesAttached({
          ...{ containerId: deriveId('container', name), tenantId: left, plan: terms },
          addresses: [leased],
          reservationIds: [reservationId(name)],
          attachedAt: start,
        }),
      ]);
      if (event !== undefined) {
        await commitReservations.react({ ...event, homeid: home }, context(`attached ${name}`));
      }
    },
    resized: async (name: string, before = 'x') => {
      const [event] = recorded([
        ContainerResized({
          ...{ containerId: deriveId('container', 'x'), tenantId: left, resizedAt: start },
          ...{ plan: terms, previousPlan: terms, reservationId: reservationId(name) },
          previousReservationId: reservationId(before),
        }),
      ]);
      if (event !== undefined) {
        await commitReservations.react({ ...event, homeid: home }, context(`resized ${name}`));
      }
    },
    limit: (tenantId: string, containers: number, until?: string) =>
      host.command(
        SetLimit,
        {
          tenantId,
          homeId: home,
          limit: vector({ containers, memoryBytes: '9000000000000000000' }),
          reason: 'Contract',
          until,
        },
        { principal: staff, idempotencyKey: `limit ${++sent}` },
      ),
    ask: async <I extends z.ZodType, R extends z.ZodType>(
      contract: QueryContract<I, R>,
      args: z.input<I>,
      principal = staff,
    ): Promise<z.output<R>> => {
      await applyTo(views);
      const query = quotasService.queries.find((q) => q.contract.name === contract.name);
      const queryContext: QueryContext = {
        principal,
        reaches: (id) => principal.reach === 'all' || principal.reach.has(id),
        ports,
        history: async (stream, { limit }) => {
          const read = await store.readStream(stream);
          const events = read.exists ? read.events : [];
          return {
            events: events.slice(0, limit).flatMap((event) => registry.decode(event) ?? []),
            end: events.length <= limit,
          };
        },
        log: logReading(store, registry),
        now: () => instantOf(clock.now()),
      };
      const parsed = contract.input.parse(args);
      return contract.result.parse(await query?.run(views.view, parsed, queryContext));
    },
  };
}

function order(name: string, tenantId = left) {
  return { reservationId: reservationId(name), tenantId, vector: one };
}

beforeEach(async () => {
  it = fixture();
  await it.open(home, 'reseller', PROVIDER_ID);
  await it.open(left, 'customer', home);
});

test('every tenant but the provider gets its place in the ledger, once', async () => {
  await it.open(left, 'customer', home);
  await it.open(PROVIDER_ID, 'provider', null);
  expect((await it.log()).map((e) => e.type)).toEqual([
    'quotas.TenantOpened',
    'quotas.TenantOpened',
  ]);
  expect(await it.ask(QuotaOf, { tenantId: PROVIDER_ID })).toBeNull();
});

test('a tenant whose parent is missing parks its home instead of being lost', async () => {
  await expect(
    it.open(deriveId('tenant', 'x'), 'customer', deriveId('tenant', 'y')),
  ).rejects.toThrow('PARENT_UNKNOWN');
});

describe('an operation', () => {
  test('reserves and releases, what runs is committed; all the same when it comes again', async () => {
    for (const step of [answerReserve, 'attached', answerRelease] as const) {
      for (let times = 0; times < 2; times++) {
        if (step === 'attached') await it.attached('a');
        else {
          const answer = await it.answer(step, order('a'), step.ask);
          expect(answer).toEqual({ outcome: 'done', result: {} });
        }
      }
    }
    expect((await it.log()).map((e) => e.type).slice(2)).toEqual([
      'quotas.Reserved',
      'quotas.Committed',
      'quotas.Released',
    ]);
  });

  test('commits nothing that was released meanwhile, and parks what was never reserved', async () => {
    await it.answer(answerReserve, order('a'));
    await it.answer(answerRelease, order('a'));
    await it.attached('a');
    expect((await it.log()).map((e) => e.type)).not.toContain('quotas.Committed');
    await expect(it.attached('b')).rejects.toThrow('RESERVATION_UNKNOWN');
  });

  test('is refused with what is short', async () => {
    await it.limit(home, 1);
    expect(await it.answer(answerReserve, order('a', home))).toMatchObject({ outcome: 'done' });
    expect(await it.answer(answerReserve, order('b'))).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'QUOTA_EXCEEDED', details: { tenantId: home, limit: '1', used: '1' } },
    });
  });

  test('of a tenant the ledger has not heard of yet is no refusal: it is tried again', async () => {
    const early = order('a', deriveId('tenant', 'just created'));
    const failure: unknown = await it.answer(answerReserve, early).catch((e: unknown) => e);
    expect(isTransient(failure)).toBe(true);
  });

  test('whose answer came too late is undone, and what was never done stays undone', async () => {
    await it.answer(answerReserve, order('a'));
    await it.undo(answerReserve, order('a'));
    await it.undo(answerReserve, order('b'));
    expect(await it.answer(answerReserve, order('b'))).toMatchObject({
      refusal: { code: 'RESERVATION_ENDED' },
    });
    expect((await it.ask(ReservationsOf, { tenantId: left, page }))?.items).toEqual([]);
  });
});

describe('the read model', () => {
  test('shows what is used, what is only reserved, and what binds, on every level', async () => {
    await it.limit(home, 5);
    await it.answer(answerReserve, order('a'));
    await it.answer(answerReserve, order('b'));
    await it.answer(answerReserve, order('c', home));
    await it.attached('a');
    const containers = async (tenantId: string) =>
      (await it.ask(QuotaOf, { tenantId }))?.axes.find((a) => a.axis === 'containers');
    expect(await containers(left)).toEqual({
      axis: 'containers',
      limit: null,
      used: '2',
      reserved: '1',
      available: '2',
      inherited: true,
    });
    expect(await containers(home)).toMatchObject({ used: '3', reserved: '2', available: '2' });
    await it.limit(left, 1);
    expect(await containers(left)).toMatchObject({ limit: '1', available: '0', inherited: false });
    await it.answer(answerRelease, order('a'));
    await it.answer(answerRelease, order('b'));
    expect(await containers(left)).toMatchObject({ used: '0', reserved: '0', available: '1' });
  });

  test('shows a transfer: the larger counts until it is done, or until one of both is given back', async () => {
    const used = async (axis: string) => {
      const found = (await it.ask(QuotaOf, { tenantId: left }))?.axes.find((a) => a.axis === axis);
      return [found?.used, found?.reserved];
    };
    const small = { containers: 1, cpuMillis: 500, memoryBytes: '4096' };
    const moving = (to: string, from: string, size: Partial<ResourceVector>) => ({
      ...{ reservationId: reservationId(to), fromReservationId: reservationId(from) },
      ...{ tenantId: left, vector: vector(size) },
    });
    await it.answer(answerReserve, order('a'));
    const early: unknown = await it
      .answer(answerTransfer, moving('b', 'a', small))
      .catch((e: unknown) => e);
    expect(isTransient(early)).toBe(true);
    await it.attached('a');
    const asked = await it.answer(answerTransfer, moving('b', 'a', small));
    expect(asked).toEqual({ outcome: 'done', result: {} });
    expect(await used('memoryBytes')).toEqual(['4096', '3072']);
    expect(await used('containers')).toEqual(['1', '0']);
    // The other is given back first: what both have in common is the new one's, and only reserved.
    await it.answer(answerRelease, order('a'));
    expect(await used('memoryBytes')).toEqual(['4096', '4096']);
    await it.attached('b');
    expect(await used('memoryBytes')).toEqual(['4096', '0']);
    await it.answer(answerTransfer, moving('c', 'b', { containers: 1, memoryBytes: '512' }));
    expect(await used('memoryBytes')).toEqual(['4096', '0']);
    await it.resized('c');
    expect(await used('memoryBytes')).toEqual(['512', '0']);
    await it.answer(answerTransfer, moving('d', 'c', small));
    await it.answer(answerRelease, order('d'));
    expect(await used('memoryBytes')).toEqual(['512', '0']);
    expect((await it.ask(ReservationsOf, { tenantId: left, page }))?.items).toMatchObject([
      { node: { id: reservationId('c'), status: 'committed', vector: { memoryBytes: '512' } } },
    ]);
    expect((await it.applyTo(memoryViews())).dump()).toEqual(it.views.dump());
  });

  test('gives back both sizes of a container that ended before it was heard that it was resized', async () => {
    const used = async () => (await it.ask(QuotaOf, { tenantId: left }))?.axes[0]?.used;
    await it.answer(answerReserve, order('a'));
    await it.attached('a');
    await it.answer(answerTransfer, {
      ...{ reservationId: reservationId('b'), fromReservationId: reservationId('a') },
      ...{ tenantId: left, vector: vector({ containers: 1, memoryBytes: '4096' }) },
    });
    // Its end gives back what it has: the new one, which has not taken the other's place here yet.
    await it.answer(answerRelease, order('b'));
    await it.resized('b', 'a');
    await it.resized('b', 'a');
    expect(await used()).toBe('0');
    expect((await it.ask(ReservationsOf, { tenantId: left, page }))?.items).toEqual([]);
  });

  test('ends a limit that was set for a time by its timer', async () => {
    await it.limit(left, 5);
    await it.limit(left, 9, later);
    const containers = async () =>
      (await it.ask(QuotaOf, { tenantId: left }))?.axes.find((a) => a.axis === 'containers')?.limit;
    expect(await containers()).toBe('9');
    const [due] = it.views.view.range(timers, 'byDue', [], { limit: 10 }).map((item) => item.row);
    expect(due).toMatchObject({ due: later, homeId: home });
    it.clock.moveTo(later);
    const call = { principal: { ...staff, kind: 'timer' as const }, idempotencyKey: 'due' };
    await it.host.commandByName(due?.command ?? '', due?.input, call);
    expect(await containers()).toBe('5');
    expect(it.views.view.range(timers, 'byDue', [], { limit: 10 })).toEqual([]);
  });

  test('lists live reservations page by page', async () => {
    for (const name of ['a', 'b', 'c']) await it.answer(answerReserve, order(name));
    await it.attached('b');
    const first = await it.ask(ReservationsOf, { tenantId: left, page: { limit: 2 } });
    expect(first?.items.map((i) => [i.node.id, i.node.status])).toEqual([
      [reservationId('a'), 'reserved'],
      [reservationId('b'), 'committed'],
    ]);
    const after = first?.items.at(-1)?.cursor ?? '';
    const second = await it.ask(ReservationsOf, { tenantId: left, page: { limit: 2, after } });
    expect(second?.items.map((i) => i.node.id)).toEqual([reservationId('c')]);
    expect(second?.hasNext).toBe(false);
  });

  test('is a wall between tenants', async () => {
    expect(await it.ask(QuotaOf, { tenantId: home }, customer)).toBeNull();
    expect(await it.ask(ReservationsOf, { tenantId: home, page }, customer)).toBeNull();
    expect(await it.ask(LedgerHistory, { homeId: home, page }, customer)).toBeNull();
    expect(await it.ask(LedgerHistory, { homeId: left, page }, customer)).toBeNull();
    expect(await it.ask(QuotaOf, { tenantId: left }, customer)).not.toBeNull();
  });

  test('has a timer for what is neither committed nor released, and none for anything else', async () => {
    for (const name of ['a', 'b', 'c']) await it.answer(answerReserve, order(name));
    await it.attached('b');
    await it.answer(answerRelease, order('c'));
    await it.applyTo(it.views);
    const due = it.views.view.range(timers, 'byDue', [], { limit: 10 }).map((item) => item.row);
    expect(due).toMatchObject([{ due: '2026-04-10T10:05:00.000Z', homeId: home }]);
    it.clock.moveTo('2026-04-10T10:05:00.000Z');
    for (const { command, input, id } of due) {
      const call = { principal: { ...staff, kind: 'timer' as const }, idempotencyKey: id };
      expect(await it.host.commandByName(command, input, call)).toMatchObject({ ok: true });
    }
    await it.applyTo(it.views);
    expect(it.views.view.range(timers, 'byDue', [], { limit: 10 })).toEqual([]);
    expect((await it.ask(ReservationsOf, { tenantId: left, page }))?.items).toMatchObject([
      { node: { id: reservationId('a'), status: 'overdue' } },
      { node: { id: reservationId('b'), status: 'committed' } },
    ]);
    expect((await it.ask(LedgerHistory, { homeId: home, page }))?.items.at(-1)).toMatchObject({
      type: 'quotas.ReservationOverdue',
      data: { reservationId: reservationId('a'), ask: ref },
    });
  });

  test('rebuilt equals the live one', async () => {
    await it.answer(answerReserve, order('a'));
    await it.applyTo(it.views);
    await it.attached('a');
    await it.answer(answerReserve, order('b'));
    await it.answer(answerRelease, order('c'));
    await it.applyTo(it.views);
    expect((await it.applyTo(memoryViews())).dump()).toEqual(it.views.dump());
  });
});

test('a thousand orders at once on the command host against room for N make exactly N', async () => {
  await it.limit(left, 321);
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => it.answer(answerReserve, order(`${i}`))),
  );
  expect(answers.filter((a) => a !== 'later' && a.outcome === 'done')).toHaveLength(321);
  expect((await it.ask(QuotaOf, { tenantId: home }))?.axes[0]).toMatchObject({ used: '321' });
});
