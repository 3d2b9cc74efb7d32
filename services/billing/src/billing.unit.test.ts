import { afterEach, describe, expect, it } from '@jest/globals';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { canonicalText } from '@bivouac/events/language';
import { deriveId, minorUnits } from '@bivouac/events/values';
import type { EventStore } from '@bivouac/infra/event-store';

import {
  AccountBalance,
  AccountHistory,
  InvoiceById,
  InvoiceHistory,
  Invoices,
  IssueInvoice,
  Leftovers,
  PlanByCode,
  Plans,
  PreviewInvoice,
  RetirePlan,
  Subscriptions,
} from './api/index.ts';
import { containerId, eur } from './domain/sample-charges.ts';
import { bound, customerOf, SampleWorld, staff } from './sample-world.ts';

const worlds: SampleWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) {
    await world.stop();
    expect(world.failure).toBeUndefined();
  }
});

async function newWorld(wrap?: (store: EventStore) => EventStore): Promise<SampleWorld> {
  const world = await new SampleWorld(wrap).start();
  worlds.push(world);
  return world;
}

const page = { limit: 100 };
const month = '2026-04';

/** Plan 1000 from 10 April 09:00Z with a further address from 15 April, until the end of April. */
async function april(world: SampleWorld, name = 'customer'): Promise<string> {
  const plan = await world.definePlan('1000');
  const tenantId = await world.createTenant(name);
  world.clock.moveTo('2026-04-10T09:00:00.000Z');
  await world.runs(tenantId, `${name}-web1`, plan);
  world.clock.moveTo('2026-04-15T12:00:00.000Z');
  await world.attaches(tenantId, `${name}-web1`, `${name}-2`, plan);
  world.clock.moveTo('2026-05-01T00:00:00.000Z');
  await world.host.settled();
  return tenantId;
}

/** The same log without its reaction checkpoint: every event fires again. */
async function firedAgain(world: SampleWorld, now: string): Promise<SampleWorld> {
  const again = new SampleWorld();
  worlds.push(again);
  for (const event of (await world.store.readAll({ limit: 1000 })).events) {
    if (event.stream.startsWith('checkpoint-')) continue;
    const expected = event.revision === 0n ? 'no-stream' : event.revision - 1n;
    await again.store.append(event.stream, expected, [event]);
  }
  again.clock.moveTo(now);
  await again.start();
  await again.host.settled();
  return again;
}

describe('billing', () => {
  it("turns a container's events into one booked invoice of 25.07 EUR whose lines name them", async () => {
    const world = await newWorld();
    const tenantId = await april(world);
    const answer = await world.answer('billing.invoice', tenantId, { accountId: tenantId, month });
    expect(answer).toMatchObject({
      outcome: 'done',
      result: { invoice: { number: '2026-000001', total: eur('25.07') } },
    });

    const list = await world.query(Invoices, { page }, customerOf(tenantId));
    expect(list.items.map((item) => item.node.number)).toEqual(['2026-000001']);
    const invoiceId = list.items[0]?.node.id ?? '';
    const invoice = await world.query(InvoiceById, { invoiceId }, customerOf(tenantId));
    expect(invoice).toMatchObject({
      accountId: tenantId,
      issuerId: PROVIDER_ID,
      total: eur('25.07'),
      ratedBy: 'calendar-days.half-up.1',
      issuedAt: '2026-05-01T00:00:00.000Z',
    });
    expect(
      invoice?.lines.map((line) => [line.amount.amount, line.quantity.days, line.quantity.of]),
    ).toEqual([
      ['14.00', 21, 30],
      ['1.07', 16, 30],
      ['10.00', 1, 1],
    ]);
    // Every cause is an event that is in the log where the line says.
    for (const { eventId, stream, revision, type } of invoice?.lines.flatMap((l) => l.causes) ??
      []) {
      const event = (await world.eventsOf(stream))[Number(revision)];
      expect([event?.id, event?.type]).toEqual([eventId, type]);
    }
    expect(await world.query(AccountBalance, { accountId: tenantId })).toEqual({
      accountId: tenantId,
      owed: [eur('25.07')],
      credit: [],
      bookings: 1,
      dunningPaused: null,
    });
    const history = await world.query(InvoiceHistory, { invoiceId, page }, customerOf(tenantId));
    expect(history?.items.map((item) => item.type)).toEqual([
      'billing.MonthClosed',
      'billing.InvoiceIssued',
      'billing.InvoiceBooked',
    ]);
    expect(Object.keys(history?.items[2]?.data ?? {})).not.toContain('legs');
    const asStaff = await world.query(InvoiceHistory, {
      invoiceId,
      page: { limit: 1, after: history?.items[1]?.cursor ?? '' },
    });
    expect(asStaff?.end).toBe(true);
    expect(Object.keys(asStaff?.items[0]?.data ?? {})).toContain('legs');
  });

  it('answers every repeat with the same invoice, and numbers it once', async () => {
    const world = await newWorld();
    const tenantId = await april(world);
    const input = { accountId: tenantId, month };
    const asked = await Promise.all(
      [1, 2, 3, 4, 5].map(() => world.asks('billing.invoice', tenantId, input)),
    );
    await world.host.settled();
    const answers = await Promise.all(asked.map((read) => read()));
    const results = new Set(answers.map((answer) => canonicalText(answer?.['result'])));
    expect(results.size).toBe(1);
    expect(answers.map((answer) => answer?.['outcome'])).toEqual(Array(5).fill('done'));
    expect(await world.eventsOf(`series-${PROVIDER_ID}`)).toHaveLength(1);
    expect(await world.query(AccountBalance, { accountId: tenantId })).toMatchObject({
      bookings: 1,
    });
  });

  it('invoices each month for itself, and nothing when nothing is owed', async () => {
    const world = await newWorld();
    const tenantId = await april(world);
    world.clock.moveTo('2026-05-03T10:00:00.000Z');
    await world.deletes(tenantId, 'customer-web1');
    world.clock.moveTo('2026-07-01T00:00:00.000Z');
    const total = async (of: string) => {
      const answer = await world.answer('billing.invoice', tenantId, {
        accountId: tenantId,
        month: of,
      });
      return (answer?.['result'] as { invoice: { total: { amount: string } } | null }).invoice
        ?.total.amount;
    };
    // 1 and 2 May: 20.00 x 2/31 + 2.00 x 2/31.
    expect(await total('2026-05')).toBe('1.42');
    expect(await total('2026-06')).toBeUndefined();
    expect(await total('2026-03')).toBeUndefined();
    expect(await total('2026-04')).toBe('25.07');
    expect(await world.query(Leftovers, {})).toEqual({ openCharges: 0, unbookedInvoices: 0 });
  });

  it('refuses a month that is not over, an account that is not there, and leaves no trace', async () => {
    const world = await newWorld();
    const tenantId = await april(world);
    const before = await world.store.head();
    const early = await world.answer('billing.invoice', tenantId, {
      accountId: tenantId,
      month: '2026-05',
    });
    expect(early).toMatchObject({ outcome: 'refused', refusal: { code: 'PERIOD_NOT_OVER' } });
    const accountId = deriveId('tenant', 'nobody');
    const unknown = await world.answer('billing.invoice', tenantId, { accountId, month });
    expect(unknown).toMatchObject({ outcome: 'refused', refusal: { code: 'ACCOUNT_UNKNOWN' } });
    const after = (await world.store.readAll({ after: before.position ?? '', limit: 100 })).events;
    const types = after.map((event) => event.type).filter((type) => type.startsWith('billing.'));
    expect(types).toEqual([]);
  });

  it("has the month's asks wait for the charges recorded before them", async () => {
    const world = await newWorld();
    const plan = await world.definePlan('1000');
    const tenantId = await world.createTenant('customer');
    world.clock.moveTo('2026-04-30T12:00:00.000Z');
    // All in the log at once, and the ask last: it must not overtake the charges.
    for (const n of [1, 2, 3, 4, 5]) await world.runs(tenantId, `web${n}`, plan);
    world.clock.moveTo('2026-05-01T00:00:00.000Z');
    const answer = await world.answer('billing.invoice', tenantId, { accountId: tenantId, month });
    // Five times 20.00 x 1/30 and 10.00.
    expect(answer).toMatchObject({ result: { invoice: { total: eur('53.35') } } });
  });

  it('numbers without gaps however many accounts are invoiced at once', async () => {
    const world = await newWorld();
    const plan = await world.definePlan('1000');
    const tenants = await Promise.all(
      Array.from({ length: 20 }, (_, n) => world.createTenant(`customer${n}`)),
    );
    world.clock.moveTo('2026-04-10T09:00:00.000Z');
    for (const [n, tenantId] of tenants.entries()) await world.runs(tenantId, `web${n}`, plan);
    world.clock.moveTo('2026-05-01T00:00:00.000Z');
    const asked = await Promise.all(
      tenants.map((accountId) => world.asks('billing.invoice', accountId, { accountId, month })),
    );
    await world.host.settled();
    const numbers = await Promise.all(
      asked.map(async (read) => {
        const answer = await read();
        return (answer?.['result'] as { invoice: { number: string } }).invoice.number;
      }),
    );
    expect(numbers.sort()).toEqual(
      Array.from({ length: 20 }, (_, n) => `2026-${String(n + 1).padStart(6, '0')}`),
    );
  });

  it('has a reseller invoice its own customers in a series of its own', async () => {
    const world = await newWorld();
    const plan = await world.definePlan('1000');
    const reseller = await world.createTenant('reseller');
    const tenantId = await world.createTenant('below', reseller);
    world.clock.moveTo('2026-04-10T09:00:00.000Z');
    await world.runs(tenantId, 'web1', plan, reseller);
    world.clock.moveTo('2026-05-01T00:00:00.000Z');
    await world.answer('billing.invoice', tenantId, { accountId: tenantId, month }, reseller);
    const [issued] = await world.eventsOf(`series-${reseller}`);
    expect(issued).toMatchObject({ homeid: reseller, tenantid: reseller });
    expect(await world.eventsOf(`series-${PROVIDER_ID}`)).toEqual([]);
    const reach = new Set([reseller, tenantId]);
    const seen = await world.query(Invoices, { page }, { ...customerOf(reseller), reach });
    expect(seen.items.map((item) => item.node.accountId)).toEqual([tenantId]);
  });

  it('shows a tenant nothing of another', async () => {
    const world = await newWorld();
    const tenantId = await april(world);
    const other = customerOf(await world.createTenant('other'));
    await world.answer('billing.invoice', tenantId, { accountId: tenantId, month });
    const all = await world.query(Invoices, { page });
    const invoiceId = all.items[0]?.node.id ?? '';
    expect(all.items).toHaveLength(1);
    expect((await world.query(Invoices, { page }, other)).items).toEqual([]);
    expect((await world.query(Invoices, { page, accountId: tenantId }, other)).items).toEqual([]);
    expect(await world.query(InvoiceById, { invoiceId }, other)).toBeNull();
    expect(await world.query(InvoiceHistory, { invoiceId, page }, other)).toBeNull();
    expect(await world.query(AccountBalance, { accountId: tenantId }, other)).toBeNull();
    expect(await world.query(AccountHistory, { accountId: tenantId, page }, other)).toBeNull();
    expect(await world.query(PreviewInvoice, { accountId: tenantId, month }, other)).toBeNull();
    const charges = await world.query(Subscriptions, { accountId: tenantId, page }, other);
    expect(charges.items).toEqual([]);
    await expect(world.query(Leftovers, {}, other)).rejects.toThrow();
  });

  it('previews a month by the lines it will be invoiced with, and keeps to them once closed', async () => {
    const world = await newWorld();
    const tenantId = await april(world);
    const before = await world.query(PreviewInvoice, { accountId: tenantId, month });
    expect(before).toMatchObject({ closed: false, total: eur('25.07') });
    await world.answer('billing.invoice', tenantId, { accountId: tenantId, month });
    // A fact of April that only now arrives changes May, not the invoice.
    await world.detaches(tenantId, 'customer-web1', 'customer-2');
    const after = await world.query(PreviewInvoice, { accountId: tenantId, month });
    const invoices = await world.query(Invoices, { page });
    const invoiceId = invoices.items[0]?.node.id ?? '';
    const invoice = await world.query(InvoiceById, { invoiceId });
    expect(after).toMatchObject({ closed: true, total: eur('25.07') });
    expect(after?.lines).toEqual(before?.lines);
    expect(invoice?.lines).toEqual(before?.lines);
  });

  it('finishes an invoice whose making was cut off after any append, once', async () => {
    for (const cut of ['billing.MonthClosed', 'billing.InvoiceIssued', 'billing.InvoiceBooked']) {
      let broken = false;
      // From the append of `cut` on, the process can write nothing: it is dead to the log.
      const world = await newWorld((store) => ({
        ...bound(store),
        append: async (stream, expected, events) => {
          if (broken) throw new Error('the process is dead');
          const result = await store.append(stream, expected, events);
          if (events.some((event) => event.type === cut)) broken = true;
          return result;
        },
      }));
      const tenantId = await april(world);
      await world.asks('billing.invoice', tenantId, { accountId: tenantId, month });
      await world.host.settled().catch(() => undefined);
      await world.stop().catch(() => undefined);
      world.failure = undefined;
      broken = false;
      await world.start();
      // The cut store breaks again at the same event type, which is there already.
      const again = await world.answer('billing.invoice', tenantId, { accountId: tenantId, month });
      expect(again).toMatchObject({
        result: { invoice: { number: '2026-000001', total: eur('25.07') } },
      });
      expect(await world.query(AccountBalance, { accountId: tenantId })).toMatchObject({
        bookings: 1,
      });
      expect(await world.eventsOf(`series-${PROVIDER_ID}`)).toHaveLength(1);
    }
  });

  it('charges once for events that are delivered again', async () => {
    const world = await newWorld();
    const tenantId = await april(world);
    await world.answer('billing.invoice', tenantId, { accountId: tenantId, month });
    const ids = async (of: SampleWorld) =>
      (await of.eventsOf(`account-${tenantId}`)).map((e) => e.id);
    const before = await ids(world);
    expect(before).toHaveLength(6);
    const again = await firedAgain(world, '2026-05-02T00:00:00.000Z');
    expect(again.host.reactions.get('billing')?.metrics.handled).toBeGreaterThanOrEqual(5);
    expect(await ids(again)).toEqual(before);
  });

  it('never makes an invoice that it refused when the ask comes again and the month is over', async () => {
    const world = await newWorld();
    const tenantId = await april(world);
    world.clock.moveTo('2026-05-31T23:59:00.000Z');
    const asked = { accountId: tenantId, month: '2026-05' };
    const early = await world.answer('billing.invoice', tenantId, asked);
    expect(early).toMatchObject({ outcome: 'refused', refusal: { code: 'PERIOD_NOT_OVER' } });
    const again = await firedAgain(world, '2026-06-01T00:00:00.000Z');
    expect(await again.eventsOf(`series-${PROVIDER_ID}`)).toEqual([]);
    const types = (await again.eventsOf(`account-${tenantId}`)).map(({ type }) => type);
    expect(types).not.toContain('billing.MonthClosed');
  });

  it('never charged what never ran, and stops charging what is deleted', async () => {
    const world = await newWorld();
    const plan = await world.definePlan('1000');
    const tenantId = await world.createTenant('customer');
    await world.deletes(tenantId, 'failed', false);
    await world.runs(tenantId, 'web1', plan);
    expect(await world.query(Leftovers, {})).toMatchObject({ openCharges: 1 });
    await world.deletes(tenantId, 'web1');
    expect(await world.query(Leftovers, {})).toMatchObject({ openCharges: 0 });
    const charges = await world.query(Subscriptions, { accountId: tenantId, page });
    expect(charges.items.map(({ node }) => [node.containerId, node.endedAt])).toEqual([
      [containerId('web1'), '2026-04-01T00:00:00.000Z'],
    ]);
  });

  it('quotes a plan as it is now, and refuses unknown, retired and foreign-currency ones', async () => {
    const world = await newWorld();
    const plan = await world.definePlan('1000');
    const usd = { amount: '5.00', currency: 'USD' };
    await world.definePlan('us', { monthly: usd, setup: usd, extraAddressMonthly: usd });
    await world.definePlan('old');
    const tenantId = await world.createTenant('customer');
    await world.runs(tenantId, 'web1', plan);
    await world.host.settled();
    const quoted = await world.answer('billing.quote', tenantId, { planCode: '1000' });
    expect(quoted).toMatchObject({ outcome: 'done', result: { plan: { code: '1000' } } });
    const old = await world.query(PlanByCode, { code: 'OLD' });
    const retired = await world.host.command(
      RetirePlan,
      { planId: old?.id ?? '' },
      { principal: staff, idempotencyKey: 'retire' },
    );
    expect(retired.ok).toBe(true);
    const codes = { nothing: 'PLAN_UNKNOWN', old: 'PLAN_RETIRED', us: 'CURRENCIES_DIFFER' };
    for (const [planCode, code] of Object.entries(codes)) {
      const refused = await world.answer('billing.quote', tenantId, { planCode });
      expect(refused).toMatchObject({ outcome: 'refused', refusal: { code } });
    }
    const other = customerOf(tenantId);
    const offered = await world.query(Plans, { page: { limit: 1 } }, other);
    expect([offered.items.length, offered.hasNext]).toEqual([1, true]);
    const next = await world.query(
      Plans,
      { page: { limit: 5, after: offered.items[0]?.cursor } },
      other,
    );
    expect(next.items.map((item) => item.node.code)).toEqual(['us']);
    const all = await world.query(Plans, { page, includeRetired: true }, other);
    expect(all.items).toHaveLength(3);
  });

  it('does not let a tenant call what only billing itself may', async () => {
    const world = await newWorld();
    const tenantId = await april(world);
    const reply = await world.host.command(
      IssueInvoice,
      {
        ...{ issuerId: PROVIDER_ID, issuerHomeId: PROVIDER_ID, accountId: tenantId, month },
        ...{ accountHomeId: tenantId, invoiceId: deriveId('invoice', 'forged'), lineCount: 1 },
        ...{ ratedBy: 'calendar-days.half-up.1', lines: '0'.repeat(64), total: eur('1.00') },
        subtotals: { plans: eur('1.00'), addresses: eur('0.00'), setup: eur('0.00') },
        closed: { stream: `account-${tenantId}`, revision: '1' },
        periods: [
          {
            zone: 'UTC',
            startsAt: '2026-04-01T00:00:00.000Z',
            endsAt: '2026-05-01T00:00:00.000Z',
            days: 30,
          },
        ],
      },
      { principal: customerOf(tenantId), idempotencyKey: 'forged' },
    );
    expect(reply).toMatchObject({ ok: false, refusal: { code: 'NOT_ALLOWED' } });
  });

  it('rebuilds its read models to what they were, and balances to what was booked', async () => {
    const world = await newWorld();
    const tenantId = await april(world);
    await world.answer('billing.invoice', tenantId, { accountId: tenantId, month });
    const look = async () =>
      canonicalText([
        await world.query(Invoices, { page }),
        await world.query(AccountBalance, { accountId: tenantId }),
        await world.query(Subscriptions, { accountId: tenantId, page }),
        await world.query(Leftovers, {}),
      ]);
    const live = await look();
    await world.stop();
    await world.start();
    expect(await look()).toBe(live);
    const booked = (await world.eventsOf(`account-${tenantId}`)).filter(
      (event) => event.type === 'billing.InvoiceBooked',
    );
    const receivable = booked
      .flatMap(
        (event) =>
          event.data['legs'] as { account: string; amount: { amount: string; currency: string } }[],
      )
      .filter((leg) => leg.account === 'receivable')
      .reduce((sum, leg) => sum + minorUnits(leg.amount), 0n);
    expect(receivable).toBe(2507n);
  });
});
