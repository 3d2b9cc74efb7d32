import { afterEach, describe, expect, it } from '@jest/globals';
import { PROVIDER_ID } from '@bivouac/events/accounts';

import {
  AccountBalance,
  AccountsToClose,
  AddOns,
  AttachAddOn,
  CancelAddOn,
  ChargeFee,
  Fees,
  InvoiceById,
  Invoices,
  PlanByCode,
  PlanVersions,
  PreviewInvoice,
  PriceList,
  ReplacePlanTerms,
  SetPrice,
  Subscriptions,
  TrialBalance,
  WithdrawPrice,
} from './api/index.ts';
import { containerId, eur, sampleTerms } from './domain/sample-charges.ts';
import { customerOf, SampleWorld, staff } from './sample-world.ts';

const worlds: SampleWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) {
    await world.stop();
    expect(world.failure).toBeUndefined();
  }
});

async function newWorld(): Promise<SampleWorld> {
  const world = await new SampleWorld().start();
  worlds.push(world);
  return world;
}

const page = { limit: 100 };
const month = '2026-04';
const plain = { includedAddresses: 1, setup: eur('10.00'), extraAddressMonthly: eur('2.00') };
const { limits } = sampleTerms();

async function planLines(world: SampleWorld, accountId: string, of = month) {
  const preview = await world.query(PreviewInvoice, { accountId, month: of });
  return (
    preview?.lines
      .filter((line) => line.kind === 'plan')
      .map((line) => [line.service.from, line.service.until, line.amount.amount]) ?? []
  );
}

describe('a container that is resized, deleted and restored', () => {
  it('is charged by its stretches, invoiced as previewed', async () => {
    const world = await newWorld();
    const from = await world.definePlan('1000');
    const to = await world.definePlan('2000', { monthly: eur('30.00') });
    const accountId = await world.createTenant('customer');
    await world.until('2026-04-10T09:00:00.000Z');
    await world.runs(accountId, 'web1', from);
    await world.until('2026-04-16T09:00:00.000Z');
    await world.resizes(accountId, 'web1', { from, to });
    await world.until('2026-04-21T09:00:00.000Z');
    await world.softDeletes(accountId, 'web1');
    await world.until('2026-04-26T09:00:00.000Z');
    await world.restores(accountId, 'web1', to);
    await world.until('2026-05-01T00:00:00.000Z');
    expect(await planLines(world, accountId)).toEqual([
      ['2026-04-10', '2026-04-16', '4.00'],
      ['2026-04-16', '2026-04-21', '5.00'],
      ['2026-04-26', '2026-05-01', '5.00'],
    ]);
    const preview = await world.query(PreviewInvoice, { accountId, month });
    await world.answer('billing.invoice', accountId, { accountId, month });
    const list = await world.query(Invoices, { page });
    const invoice = await world.query(InvoiceById, { invoiceId: list.items[0]?.node.id ?? '' });
    expect(invoice?.lines).toEqual(preview?.lines);
    expect(invoice?.total).toEqual(eur('24.00'));
    const subscriptions = await world.query(Subscriptions, { accountId, page });
    expect(subscriptions.items.map(({ node }) => [node.planCode, node.endedAt])).toEqual([
      ['2000', '2026-04-21T09:00:00.000Z'],
      ['2000', null],
    ]);
  });
});

describe('the catalog', () => {
  it('quotes what is in force when it is asked, and lists every version', async () => {
    const world = await newWorld();
    const plan = await world.definePlan('1000');
    const tenantId = await world.createTenant('customer');
    const terms = { name: 'VPS 1000', limits, ...plain, monthly: eur('25.00') };
    const effectiveFrom = '2026-05-01T00:00:00.000Z';
    await world.command(ReplacePlanTerms, { planId: plan.planId, ...terms, effectiveFrom });
    const quoted = async () => {
      const answer = await world.answer('billing.quote', tenantId, { planCode: '1000' });
      return (answer?.['result'] as { plan: { monthly: unknown; source: unknown } }).plan;
    };
    expect(await quoted()).toMatchObject({ monthly: eur('20.00'), source: { revision: '0' } });
    expect(await world.query(PlanByCode, { code: '1000' })).toMatchObject({
      ...{ monthly: eur('20.00'), revision: '0' },
    });
    await world.until(effectiveFrom);
    expect(await quoted()).toMatchObject({ monthly: eur('25.00'), source: { revision: '1' } });
    expect(await world.query(PlanByCode, { code: '1000' })).toMatchObject({
      ...{ monthly: eur('25.00'), revision: '1', effectiveFrom },
    });
    const versions = await world.query(PlanVersions, { planId: plan.planId, page });
    expect(versions.items.map(({ node }) => [node.monthly.amount, node.forExisting])).toEqual([
      ['20.00', false],
      ['25.00', false],
    ]);
  });

  it('gives existing subscriptions a new price from their next month, as previewed', async () => {
    const world = await newWorld();
    const plan = await world.definePlan('1000');
    const accountId = await world.createTenant('customer');
    await world.until('2026-04-01T09:00:00.000Z');
    await world.runs(accountId, 'web1', plan);
    await world.until('2026-04-10T09:00:00.000Z');
    const terms = { name: 'VPS 1000', limits, ...plain, monthly: eur('25.00'), forExisting: true };
    await world.command(ReplacePlanTerms, { planId: plan.planId, ...terms });
    await world.until('2026-06-01T00:00:00.000Z');
    expect(await planLines(world, accountId)).toEqual([['2026-04-01', '2026-05-01', '20.00']]);
    expect(await planLines(world, accountId, '2026-05')).toEqual([
      ['2026-05-01', '2026-06-01', '25.00'],
    ]);
    const answer = await world.answer('billing.invoice', accountId, {
      accountId,
      month: '2026-05',
    });
    expect(answer).toMatchObject({ result: { invoice: { total: eur('25.00') } } });
    expect(await planLines(world, accountId, '2026-05')).toHaveLength(1);
    const [node] = (await world.query(Subscriptions, { accountId, page })).items;
    expect(node?.node.monthly).toEqual(eur('25.00'));
  });
});

describe('add-ons and fees', () => {
  it('are charged by the issuer, cancelled by either, and listed', async () => {
    const world = await newWorld();
    const accountId = await world.createTenant('customer');
    const debtor = customerOf(accountId);
    await world.until('2026-04-11T09:00:00.000Z');
    const wish = { accountId, name: 'Backup', monthly: eur('3.00'), quantity: 2 };
    await expect(world.command(AttachAddOn, wish, debtor)).rejects.toThrow('NOT_ALLOWED');
    const { addOnId } = await world.command(AttachAddOn, wish, staff, 'once');
    expect(await world.command(AttachAddOn, wish, staff, 'once')).toEqual({ addOnId });
    const fee = { accountId, name: 'Recovery', amount: eur('49.00'), reason: 'by telephone' };
    await world.command(ChargeFee, fee);
    await world.command(
      CancelAddOn,
      { accountId, addOnId: addOnId ?? '', at: 'period-end' },
      debtor,
    );
    const listed = await world.query(AddOns, { accountId, page }, debtor);
    expect(listed.items.map(({ node }) => node.endsAt)).toEqual(['2026-05-01T00:00:00.000Z']);
    expect((await world.query(Fees, { accountId, page }, debtor)).items).toHaveLength(1);
    await world.until('2026-05-01T00:00:00.000Z');
    const answer = await world.answer('billing.invoice', accountId, { accountId, month });
    expect(answer).toMatchObject({ result: { invoice: { total: eur('53.00') } } });
    expect(await world.query(TrialBalance, { issuerId: PROVIDER_ID })).toMatchObject({
      sums: [eur('0.00')],
    });
  });
});

describe("the end of a container's period", () => {
  it('is answered when it has come, once, also after a restart', async () => {
    const world = await newWorld();
    const plan = await world.definePlan('1000', { zone: 'Europe/Berlin' });
    const accountId = await world.createTenant('customer');
    await world.until('2026-04-10T09:00:00.000Z');
    await world.runs(accountId, 'web1', plan);
    const input = { containerId: containerId('web1') };
    const waits = await world.asks('billing.period-end', accountId, input, accountId, 40 * 86_400);
    await world.until('2026-04-30T21:59:59.999Z');
    expect(await waits()).toBeUndefined();
    await world.stop();
    world.clock.moveTo('2026-04-30T23:00:00.000Z');
    await world.start();
    await world.host.settled();
    expect(await waits()).toMatchObject({
      ...{ outcome: 'done', result: { endedAt: '2026-04-30T22:00:00.000Z' } },
    });
  });

  it('is refused where nobody would wait that long, and where nothing is charged', async () => {
    const world = await newWorld();
    const plan = await world.definePlan('1000');
    const accountId = await world.createTenant('customer');
    await world.runs(accountId, 'web1', plan);
    await world.host.settled();
    const ask = (container: string) =>
      world.answer('billing.period-end', accountId, { containerId: containerId(container) });
    expect(await ask('web1')).toMatchObject({ refusal: { code: 'PERIOD_ENDS_LATER' } });
    expect(await ask('web2')).toMatchObject({ refusal: { code: 'SUBSCRIPTION_UNKNOWN' } });
  });
});

describe('a monthly run', () => {
  it('is told every account with charges that are not closed, page after page', async () => {
    const world = await newWorld();
    const plan = await world.definePlan('1000');
    const ids = await Promise.all(
      Array.from({ length: 5 }, (_, n) => world.createTenant(`customer${n}`)),
    );
    await world.until('2026-04-10T09:00:00.000Z');
    for (const [n, id] of ids.slice(1).entries()) await world.runs(id, `web${n}`, plan);
    await world.until('2026-05-01T00:00:00.000Z');
    const [, second = '', ...others] = ids;
    await world.answer('billing.invoice', second, { accountId: second, month });
    const run = { issuerId: PROVIDER_ID, month };
    const answer = await world.answer('billing.accounts-to-close', PROVIDER_ID, run);
    const expected = others.sort().map((accountId) => ({ accountId, homeId: accountId }));
    expect(answer).toMatchObject({ outcome: 'done', result: { accounts: expected } });
    const [first] = expected;
    const rest = await world.query(AccountsToClose, { ...run, after: first?.accountId });
    expect(rest).toEqual({ accounts: expected.slice(1) });
    const none = await world.query(AccountsToClose, run, customerOf(second));
    expect(none).toEqual({ accounts: [] });
  });

  it('leaves out accounts of which nothing is charged in the month any more', async () => {
    const world = await newWorld();
    const plan = await world.definePlan('1000');
    const accountId = await world.createTenant('customer');
    await world.until('2026-04-10T09:00:00.000Z');
    await world.runs(accountId, 'web1', plan);
    await world.host.settled();
    const charged = await world.query(Subscriptions, { accountId, page });
    const subscriptionId = charged.items[0]?.node.id;
    const backup = { accountId, name: 'Backup', monthly: eur('3.00') };
    await world.command(AttachAddOn, { ...backup, subscriptionId });
    const own = await world.command(AttachAddOn, backup);
    await world.until('2026-05-03T09:00:00.000Z');
    await world.deletes(accountId, 'web1');
    const cancel = { accountId, addOnId: own.addOnId ?? '', at: 'period-end' as const };
    await world.command(CancelAddOn, cancel);
    await world.command(CancelAddOn, { ...cancel, at: 'now' });
    await world.until('2026-06-20T09:00:00.000Z');
    const listed = async (of: string) =>
      (await world.query(AccountsToClose, { issuerId: PROVIDER_ID, month: of })).accounts.length;
    const months = ['2026-03', '2026-04', '2026-05', '2026-06', '2026-07'];
    expect(await Promise.all(months.map(listed))).toEqual([0, 1, 1, 0, 0]);
    await world.command(ChargeFee, { accountId, name: 'Late', amount: eur('1.00'), reason: 'x' });
    expect(await Promise.all(months.map(listed))).toEqual([0, 1, 1, 1, 0]);
    const addOns = await world.query(AddOns, { accountId, page });
    expect(addOns.items.map(({ node }) => node.endsAt)).toEqual([
      '2026-05-03T09:00:00.000Z',
      '2026-05-03T09:00:00.000Z',
    ]);
  });

  it('is refused while the month is over nowhere', async () => {
    const world = await newWorld();
    await world.until('2026-04-30T09:59:59.999Z');
    const run = { issuerId: PROVIDER_ID, month };
    expect(await world.answer('billing.accounts-to-close', PROVIDER_ID, run)).toMatchObject({
      refusal: { code: 'PERIOD_NOT_OVER', details: { endsAt: '2026-04-30T10:00:00.000Z' } },
    });
    await world.until('2026-04-30T10:00:00.000Z');
    expect(await world.answer('billing.accounts-to-close', PROVIDER_ID, run)).toMatchObject({
      result: { accounts: [] },
    });
  });
});

describe('a reseller', () => {
  /** A reseller with a price of its own, and a customer of it with a container from 10 April. */
  async function resold() {
    const world = await newWorld();
    const plan = await world.definePlan('1000');
    const reseller = await world.createTenant('reseller');
    const customer = await world.createTenant('below', reseller);
    const manager = { ...customerOf(reseller), reach: new Set([reseller, customer]) };
    const prices = { monthly: eur('29.00'), setup: eur('0.00'), extraAddressMonthly: eur('3.00') };
    const issuer = { issuerId: reseller, issuerHomeId: reseller };
    await world.command(SetPrice, { ...issuer, planCode: '1000', ...prices }, manager);
    await world.until('2026-04-10T09:00:00.000Z');
    const answer = await world.answer('billing.quote', customer, { planCode: '1000' }, reseller);
    const quoted = (answer?.['result'] as { plan: typeof plan }).plan;
    await world.runs(customer, 'web1', quoted, reseller);
    await world.until('2026-04-16T09:00:00.000Z');
    return { world, plan, reseller, customer, manager, issuer, quoted };
  }

  it('charges its customer its own prices, and is charged the provider’s for the same', async () => {
    const { world, reseller, customer, quoted } = await resold();
    expect(quoted).toMatchObject({
      ...{ monthly: eur('29.00'), setup: eur('0.00') },
      pricedBy: { stream: `prices-${reseller}`, revision: '0' },
    });
    const larger = await world.definePlan('2000', { monthly: eur('30.00') });
    await world.resizes(customer, 'web1', { from: quoted, to: larger }, reseller);
    await world.until('2026-05-01T00:00:00.000Z');
    for (const accountId of [customer, reseller]) {
      await world.answer('billing.invoice', accountId, { accountId, month }, reseller);
    }
    const invoices = (await world.query(Invoices, { page })).items.map(({ node }) => node);
    // 29.00 x 6/30 and 30.00 x 15/30; and 20.00 x 6/30, the same 15.00 and the set-up of 10.00.
    expect(invoices.map((i) => [i.accountId, i.issuerId, i.number, i.total.amount])).toEqual([
      [customer, reseller, '2026-000001', '20.80'],
      [reseller, PROVIDER_ID, '2026-000001', '29.00'],
    ]);
    for (const issuerId of [reseller, PROVIDER_ID]) {
      expect(await world.query(TrialBalance, { issuerId })).toMatchObject({ sums: [eur('0.00')] });
    }
  });

  it('stops paying when its customer’s container goes, and pays again when it is back', async () => {
    const { world, plan, reseller, customer } = await resold();
    await world.softDeletes(customer, 'web1', reseller);
    await world.until('2026-04-21T09:00:00.000Z');
    await world.restores(customer, 'web1', plan, reseller);
    await world.until('2026-05-01T00:00:00.000Z');
    const days = [
      ['2026-04-10', '2026-04-16', '4.00'],
      ['2026-04-21', '2026-05-01', '6.67'],
    ];
    expect(await planLines(world, reseller)).toEqual(days);
  });

  it('and its customer pay nothing for an order that was undone, also where a month is closed', async () => {
    const { world, reseller, customer } = await resold();
    await world.until('2026-05-01T00:00:00.000Z');
    await world.answer('billing.invoice', reseller, { accountId: reseller, month }, reseller);
    await world.deletes(customer, 'web1', true, reseller);
    await world.undoes(customer, 'web1', reseller);
    for (const accountId of [customer, reseller]) {
      const { items } = await world.query(Subscriptions, { accountId, page });
      expect(items.map(({ node }) => node.voided)).toEqual([true]);
    }
    await world.answer('billing.invoice', customer, { accountId: customer, month }, reseller);
    const invoices = (await world.query(Invoices, { page })).items.map(({ node }) => node);
    // The reseller's was issued before: it stands, and credit pays it.
    expect(invoices.map((i) => [i.accountId, i.open, i.total.amount])).toEqual([
      [reseller, eur('0.00'), '24.00'],
    ]);
    expect(await world.query(AccountBalance, { accountId: reseller })).toMatchObject({
      ...{ owed: [eur('0.00')], credit: [] },
    });
    expect(await world.query(TrialBalance, { issuerId: PROVIDER_ID })).toMatchObject({
      sums: [eur('0.00')],
    });
  });

  it('reads its own price list and books, sets prices for itself only, and may withdraw them', async () => {
    const { world, reseller, customer, manager, issuer } = await resold();
    const list = await world.query(PriceList, { issuerId: reseller, page }, manager);
    expect(list.items.map(({ node }) => node.monthly)).toEqual([eur('29.00')]);
    const foreign = await world.query(
      PriceList,
      { issuerId: reseller, page },
      customerOf(customer),
    );
    expect(foreign.items).toEqual([]);
    const prices = { monthly: eur('1.00'), setup: eur('0.00'), extraAddressMonthly: eur('0.00') };
    const provider = { issuerId: PROVIDER_ID, issuerHomeId: PROVIDER_ID, planCode: '1000' };
    await expect(world.command(SetPrice, { ...provider, ...prices }, manager)).rejects.toThrow(
      'NOT_FOUND',
    );
    await expect(world.command(SetPrice, { ...provider, ...prices })).rejects.toThrow(
      'PROVIDER_HAS_CATALOG',
    );
    await world.command(WithdrawPrice, { ...issuer, planCode: '1000' }, manager);
    const answer = await world.answer('billing.quote', customer, { planCode: '1000' }, reseller);
    expect(answer).toMatchObject({ result: { plan: { monthly: eur('20.00') } } });
  });

  it('and its customer are charged once for events that are delivered again', async () => {
    const { world, plan, reseller, customer, quoted } = await resold();
    await world.resizes(customer, 'web1', { from: quoted, to: plan }, reseller);
    await world.softDeletes(customer, 'web1', reseller);
    await world.restores(customer, 'web1', quoted, reseller);
    await world.host.settled();
    const ids = async (of: SampleWorld) => {
      const streams = [reseller, customer].map((id) => of.eventsOf(`account-${id}`));
      return (await Promise.all(streams)).map((events) => events.map((event) => event.id));
    };
    const before = await ids(world);
    expect(before.map((events) => events.length)).toEqual([6, 5]);
    // The same log without its reaction checkpoint, long after commands were forgotten.
    const again = new SampleWorld();
    worlds.push(again);
    for (const event of (await world.store.readAll({ limit: 1000 })).events) {
      if (event.stream.startsWith('checkpoint-')) continue;
      const expected = event.revision === 0n ? 'no-stream' : event.revision - 1n;
      await again.store.append(event.stream, expected, [event]);
    }
    again.clock.moveTo('2026-07-01T00:00:00.000Z');
    await again.start();
    await again.host.settled();
    expect(await ids(again)).toEqual(before);
  });
});
