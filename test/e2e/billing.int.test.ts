/** A customer's money over GraphQL: charged, invoiced, paid, taken back, and the books behind it. */
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { closeAll, open, type Running } from './installation.ts';

afterEach(closeAll);

const Money = z.object({ amount: z.string(), currency: z.string() });

const Books = z.object({
  account: z.object({
    owed: z.array(Money),
    credit: z.array(Money),
    subscriptions: z.object({
      edges: z.array(z.object({ node: z.object({ planCode: z.string(), monthly: Money }) })),
    }),
    addOns: z.object({ edges: z.array(z.object({ node: z.object({ endsAt: z.string() }) })) }),
    fees: z.object({ edges: z.array(z.object({ node: z.object({ name: z.string() }) })) }),
    payments: z.object({
      edges: z.array(
        z.object({
          node: z.object({
            reference: z.string(),
            settled: z.array(z.object({ invoice: z.object({ number: z.string() }), paid: Money })),
          }),
        }),
      ),
    }),
    creditNotes: z.object({
      edges: z.array(z.object({ node: z.object({ number: z.string(), total: Money }) })),
    }),
    invoices: z.object({
      edges: z.array(
        z.object({
          node: z.object({
            id: z.string(),
            state: z.string(),
            total: Money,
            open: Money,
            dueAt: z.string(),
            lineConnection: z.object({
              edges: z.array(z.object({ node: z.object({ kind: z.string(), amount: Money }) })),
              pageInfo: z.object({ hasNextPage: z.boolean() }),
            }),
            creditNote: z.object({ number: z.string() }).nullable(),
          }),
        }),
      ),
    }),
  }),
});

async function books(running: Running, id: string) {
  const { account } = await running.staff.read(
    Books,
    `query ($id: ID!) { account(id: $id) {
      owed { amount currency } credit { amount currency }
      subscriptions { edges { node { planCode monthly { amount currency } } } }
      addOns { edges { node { endsAt } } }
      fees { edges { node { name } } }
      payments { edges { node { reference settled { invoice { number } paid { amount currency } } } } }
      creditNotes { edges { node { number total { amount currency } } } }
      invoices { edges { node { id state total { amount currency } open { amount currency } dueAt
        lineConnection(first: 2) { edges { node { kind amount { amount currency } } }
          pageInfo { hasNextPage } }
        creditNote { number } } } } } }`,
    { id },
  );
  return account;
}

async function trial(running: Running, issuerId: string) {
  const { trialBalance, journal } = await running.staff.read(
    z.object({
      trialBalance: z.object({ entries: z.number(), sums: z.array(Money) }),
      journal: z.object({
        edges: z.array(z.object({ node: z.object({ type: z.string(), reference: z.string() }) })),
      }),
    }),
    `query ($id: ID!) { trialBalance(issuerId: $id) { entries sums { amount currency } }
      journal(issuerId: $id) { edges { node { type reference } } } }`,
    { id: issuerId },
  );
  return { ...trialBalance, journal: journal.edges.map(({ node }) => node.type.slice(8)) };
}

async function unclosed(running: Running, issuerId: string, month: string): Promise<string[]> {
  const { unclosedAccounts } = await running.staff.read(
    z.object({
      unclosedAccounts: z.object({ accounts: z.array(z.object({ id: z.string() })) }),
    }),
    `query ($id: ID!, $month: Month!) {
      unclosedAccounts(issuerId: $id, month: $month) { accounts { id } next } }`,
    { id: issuerId, month },
  );
  return unclosedAccounts.accounts.map(({ id }) => id);
}

test('a month is charged, invoiced, paid, taken back, and the books balance throughout', async () => {
  const running = await open();
  const { staff, owner, clock, installation, seeded } = running;
  const accountId = seeded.customer.tenantId;
  const issuerId = installation.provider.tenantId;
  await running.running();
  const eur = (amount: string) => ({ amount, currency: 'EUR' });
  const done = async (client: typeof staff, name: string, input: Record<string, unknown>) => {
    const result = await client.mutate(name, input);
    await installation.host.settled();
    return result;
  };

  const item = { accountId, name: 'Backup', monthly: eur('3.00') };
  expect(await done(owner, 'attachAddOn', item)).toMatchObject({ code: 'NOT_ALLOWED' });
  await done(staff, 'attachAddOn', item);
  const { addOns } = await staff
    .read(
      z.object({
        account: z.object({
          addOns: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }),
        }),
      }),
      `query ($id: ID!) { account(id: $id) { addOns { edges { node { id } } } } }`,
      { id: accountId },
    )
    .then(({ account }) => account);
  const cancel = { accountId, addOnId: addOns.edges[0]?.node.id, at: 'PERIOD_END' };
  expect(await done(owner, 'cancelAddOn', cancel)).toMatchObject({ __typename: 'AddOnCancelled' });
  const fee = { accountId, name: 'Recovery', amount: eur('49.00'), reason: 'by telephone' };
  expect(await done(staff, 'chargeFee', fee)).toMatchObject({ __typename: 'FeeCharged' });

  const now = new Date(clock.now());
  const month = now.toISOString().slice(0, 7);
  clock.moveTo(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString());
  expect(await unclosed(running, issuerId, month)).toEqual([accountId]);
  const run = await done(staff, 'closeMonth', { accountId, month });
  expect(await running.end(run)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await unclosed(running, issuerId, month)).toEqual([]);
  const [invoice] = (await books(running, accountId)).invoices.edges.map(({ node }) => node);
  expect(invoice).toMatchObject({ state: 'OPEN', open: invoice?.total, creditNote: null });
  expect(invoice?.lineConnection).toMatchObject({
    edges: [{ node: { kind: 'PLAN' } }, { node: {} }],
    pageInfo: { hasNextPage: true },
  });

  const payment = { accountId, reference: 'SEPA 1', amount: eur('500.00') };
  expect(await done(owner, 'recordPayment', payment)).toMatchObject({ code: 'NOT_ALLOWED' });
  expect(await done(staff, 'recordPayment', payment)).toMatchObject({
    __typename: 'PaymentRecorded',
  });
  const other = await done(staff, 'recordPayment', { ...payment, amount: eur('1.00') });
  expect(other).toMatchObject({ code: 'PAYMENT_DIFFERS' });
  const paid = await books(running, accountId);
  expect(paid).toMatchObject({
    owed: [eur('0.00')],
    payments: { edges: [{ node: { reference: 'SEPA 1', settled: [{ paid: invoice?.total }] } }] },
    invoices: { edges: [{ node: { state: 'PAID' } }] },
    fees: { edges: [{ node: { name: 'Recovery' } }] },
    subscriptions: { edges: [{ node: { planCode: '1000' } }] },
  });

  const voiding = { accountId, invoiceId: invoice?.id, reason: 'a mistake' };
  expect(await done(staff, 'voidInvoice', voiding)).toMatchObject({ __typename: 'InvoiceVoided' });
  const taken = await books(running, accountId);
  expect(taken).toMatchObject({
    credit: [eur('500.00')],
    creditNotes: { edges: [{ node: { total: eur(`-${invoice?.total.amount ?? ''}`) } }] },
    invoices: { edges: [{ node: { state: 'VOID', creditNote: {} } }] },
  });
  expect(await trial(running, issuerId)).toEqual({
    ...{ entries: 3, sums: [eur('0.00')] },
    journal: ['InvoiceBooked', 'PaymentRecorded', 'CreditNoteBooked'],
  });
});

test('an invoice that nobody pays is reminded of to the hold, and no more once it is paid', async () => {
  const running = await open();
  const { staff, clock, installation, seeded } = running;
  const accountId = seeded.customer.tenantId;
  const containerId = await running.running();
  const now = new Date(clock.now());
  const month = now.toISOString().slice(0, 7);
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1));
  clock.moveTo(first.toISOString());
  const closing = await staff.mutate('closeMonth', { accountId, month });
  expect(await running.end(closing)).toMatchObject({ status: 'SUCCEEDED' });
  // Due after 14 days, held 21 days later.
  clock.moveTo(new Date(first.getTime() + 36 * 86_400_000).toISOString());
  await running.quiet();
  expect(await dunningOf(running, accountId)).toEqual(['HOLD']);
  // The account is held, and with it all it has: nothing runs, nothing is ordered.
  expect(await running.container(containerId)).toMatchObject({
    ...{ lifecycle: 'RUNNING', observed: { state: 'STOPPED' }, holds: [{ kind: 'BILLING' }] },
  });
  const order = await running.end(await running.order({ hostname: 'web2.example.com' }));
  expect(order).toMatchObject({ status: 'FAILED', error: { code: 'TENANT_ON_HOLD' } });
  const payment = {
    ...{ accountId, reference: 'late' },
    amount: { amount: '500.00', currency: 'EUR' },
  };
  expect(await staff.mutate('recordPayment', payment)).toMatchObject({
    __typename: 'PaymentRecorded',
  });
  await installation.host.settled();
  expect(await dunningOf(running, accountId)).toEqual([null]);
  await running.quiet();
  expect(await running.container(containerId)).toMatchObject({
    ...{ lifecycle: 'RUNNING', observed: { state: 'RUNNING' }, holds: [] },
  });
});

async function dunningOf(running: Running, id: string): Promise<(string | null)[]> {
  const Stage = z.object({ node: z.object({ dunning: z.string().nullable() }) });
  const { account } = await running.staff.read(
    z.object({ account: z.object({ invoices: z.object({ edges: z.array(Stage) }) }) }),
    `query ($id: ID!) { account(id: $id) { invoices { edges { node { dunning } } } } }`,
    { id },
  );
  return account.invoices.edges.map(({ node }) => node.dunning);
}

test('the catalog, price lists, terms, credit and reversals are changed and shown', async () => {
  const running = await open();
  const { staff, owner, installation, clock, seeded } = running;
  const accountId = seeded.customer.tenantId;
  const provider = installation.provider.tenantId;
  const eur = (amount: string) => ({ amount, currency: 'EUR' });
  const does = async (name: string, input: Record<string, unknown>, client = staff) => {
    const result = await client.mutate(name, input);
    await installation.host.settled();
    return result.code ?? result.__typename;
  };

  const Plan = z.object({
    plan: z.object({
      id: z.string(),
      monthly: Money,
      retired: z.boolean(),
      versions: z.object({
        edges: z.array(z.object({ node: z.object({ monthly: Money, forExisting: z.boolean() }) })),
      }),
    }),
  });
  const plan = async () =>
    (
      await owner.read(
        Plan,
        `{ plan(code: "1000") { id monthly { amount currency } retired
          versions { edges { node { monthly { amount currency } forExisting } } } } }`,
      )
    ).plan;
  const before = await plan();
  const later = new Date(clock.now() + 86_400_000).toISOString();
  const terms = {
    ...{ planId: before.id, name: 'VPS', includedAddresses: 1 },
    limits: {
      ...{ cpuMillis: 1000, memoryBytes: '1073741824', diskBytes: '10737418240' },
      ...{ processes: 512, cpuUnits: 1000 },
    },
    ...{ monthly: eur('25.00'), setup: eur('0.00'), extraAddressMonthly: eur('2.00') },
  };
  const dated = { ...terms, effectiveFrom: later, forExisting: true };
  expect(await does('replacePlanTerms', dated, owner)).toBe('NOT_ALLOWED');
  expect(await does('replacePlanTerms', dated)).toBe('PlanTermsReplaced');
  const past = { ...terms, effectiveFrom: '2020-01-01T00:00:00.000Z' };
  expect(await does('replacePlanTerms', past)).toBe('EFFECTIVE_DATE_PAST');
  const versions = [
    { node: { monthly: before.monthly, forExisting: false } },
    { node: { monthly: eur('25.00'), forExisting: true } },
  ];
  expect(await plan()).toMatchObject({ monthly: before.monthly, versions: { edges: versions } });
  clock.moveTo(later);
  expect(await plan()).toMatchObject({ monthly: eur('25.00') });

  const { monthly, setup, extraAddressMonthly } = terms;
  const price = { planCode: '1000', monthly, setup, extraAddressMonthly };
  expect(await does('setPrice', { issuerId: provider, ...price })).toBe('PROVIDER_HAS_CATALOG');
  expect(await does('setPrice', { issuerId: provider, ...price }, owner)).toBe('NOT_FOUND');
  expect(await does('setPrice', { issuerId: accountId, ...price }, owner)).toBe('PriceSet');
  const withdrawn = { issuerId: accountId, planCode: '1000' };
  expect(await does('withdrawPrice', withdrawn, owner)).toBe('PriceWithdrawn');
  expect(await does('setPaymentTerm', { issuerId: provider, days: 30 })).toBe('PaymentTermSet');
  expect(await does('setPaymentTerm', { issuerId: provider, days: -1 })).toBe('INVALID_INPUT');
  expect(await does('pauseDunning', { accountId, reason: 'x' }, owner)).toBe('NOT_ALLOWED');
  expect(await does('pauseDunning', { accountId, reason: 'instalments' })).toBe('DunningPaused');

  const credit = { accountId, amount: eur('5.00'), reason: 'an outage' };
  expect(await does('grantCredit', credit)).toBe('CreditGranted');
  const payment = { accountId, reference: 'R 1', amount: eur('10.00') };
  expect(await does('recordPayment', payment)).toBe('PaymentRecorded');
  const back = { accountId, reference: 'R 1', reason: 'returned' };
  expect(await does('reversePayment', back)).toBe('PaymentReversed');
  expect(await does('reversePayment', { ...back, reference: 'R 2' })).toBe('PAYMENT_UNKNOWN');

  const { data } = await owner.ask(
    `query ($id: ID!) { payment(accountId: $id, reference: "R 1") {
        amount { amount } reversed { reason } settled { paid { amount } } }
      none: payment(accountId: $id, reference: "R 2") { id }
      account(id: $id) { credit { amount } dunningPaused { reason }
        prices { edges { node { planCode monthly { amount } withdrawnAt } } } } }`,
    { id: accountId },
  );
  expect(data).toEqual({
    payment: { amount: { amount: '10.00' }, reversed: { reason: 'returned' }, settled: [] },
    none: null,
    account: {
      credit: [{ amount: '5.00' }],
      dunningPaused: { reason: 'instalments' },
      prices: {
        edges: [{ node: { planCode: '1000', monthly: { amount: '25.00' }, withdrawnAt: later } }],
      },
    },
  });
  expect(await does('resumeDunning', { accountId })).toBe('DunningResumed');
  expect(await does('retirePlan', { planId: before.id })).toBe('PlanRetired');
  expect(await plan()).toMatchObject({ retired: true });
  // The issuer's books are not the debtor's to read, and those of nobody are null.
  const books =
    '{ trialBalance(issuerId: "%") { entries } journal(issuerId: "%") { edges { cursor } } }';
  const foreign = await owner.ask(books.replaceAll('%', provider));
  expect(foreign.data).toEqual({ trialBalance: null, journal: { edges: [] } });
});
