import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Leg } from '@bivouac/events/billing';
import type { Decided } from '@bivouac/events/language';
import { minorUnits, money } from '@bivouac/events/values';

import { invoiceIdOf } from './account.ts';
import { openOf } from './ledger.ts';
import {
  bookCreditNote,
  creditNoteIdOf,
  grantCredit,
  recordPayment,
  reversePayment,
  voidInvoice,
} from './payments.ts';
import { books } from './sample-books.ts';
import { accountId, eur, issuerId, SampleAccount } from './sample-charges.ts';

const home = { homeId: accountId };
const ours = { accountId, byIssuer: true };

function pays(account: SampleAccount, reference: string, amount: string) {
  return account.when((state) =>
    recordPayment(state, { ...ours, reference, amount: eur(amount) }, home),
  );
}

function voids(account: SampleAccount, invoiceId: string) {
  account.when((state) => voidInvoice(state, { ...ours, invoiceId, reason: 'wrong' }, home));
  const invoice = account.state.ledger.invoices.get(invoiceId);
  if (invoice === undefined) throw new Error('no such invoice');
  const minus = (of: { amount: string; currency: string }) => money(-minorUnits(of), of.currency);
  const { plans, addresses, setup } = invoice.subtotals;
  return account.when((state) =>
    bookCreditNote(
      state,
      {
        ...{ accountId, issuerId, invoiceId, creditNoteId: creditNoteIdOf(invoiceId) },
        ...{ number: 'C2026-000001', invoiceNumber: invoice.number, reason: 'wrong' },
        ...{ total: minus(invoice.total), lineCount: 1, lines: '0'.repeat(64) },
        subtotals: { plans: minus(plans), addresses: minus(addresses), setup: minus(setup) },
        issued: { stream: `credits-${issuerId}`, revision: '0' },
        issuedAt: '2026-05-02T00:00:00.000Z',
      },
      home,
    ),
  );
}

const open = (account: SampleAccount): string[] =>
  [...account.state.ledger.invoices.values()].map((i) => money(openOf(i), 'EUR').amount);

const legsOf = (event: Decided | undefined): Leg[] => (event?.data['legs'] ?? []) as Leg[];

describe('payments', () => {
  it('pay the oldest invoice first, and what is left is credit for the next', () => {
    const account = new SampleAccount();
    books(account, 0, 2000n);
    books(account, 1, 3000n);
    expect(legsOf(pays(account, 'a', '35.00')[0])).toEqual([
      { account: 'receivable', amount: eur('-35.00') },
      { account: 'cash', amount: eur('35.00') },
    ]);
    expect(open(account)).toEqual(['0.00', '15.00']);
    expect(legsOf(pays(account, 'b', '25.00')[0])).toEqual([
      { account: 'receivable', amount: eur('-15.00') },
      { account: 'credit', amount: eur('-10.00') },
      { account: 'cash', amount: eur('25.00') },
    ]);
    books(account, 2, 4000n);
    expect(open(account)).toEqual(['0.00', '0.00', '30.00']);
    expect(legsOf(account.events.at(-1))).toEqual([
      { account: 'receivable', amount: eur('30.00') },
      { account: 'credit', amount: eur('10.00') },
      { account: 'revenue.plans', amount: eur('-40.00') },
    ]);
  });

  it('are known by their reference for ever, also once they went back', () => {
    const account = new SampleAccount();
    books(account, 0, 2000n);
    pays(account, 'a', '20');
    expect(pays(account, 'a', '20.00')).toEqual([]);
    const other = recordPayment(
      account.state,
      { ...ours, reference: 'a', amount: eur('21.00') },
      home,
    );
    expect(other).toMatchObject({ refusal: { code: 'PAYMENT_DIFFERS' } });
    const back = { ...ours, reference: 'a', reason: 'returned' };
    expect(account.when((state) => reversePayment(state, back))).toHaveLength(1);
    expect(account.when((state) => reversePayment(state, back))).toEqual([]);
    expect(pays(account, 'a', '20.00')).toEqual([]);
    expect(open(account)).toEqual(['20.00']);
    expect(reversePayment(account.state, { ...back, reference: 'b' })).toMatchObject({
      refusal: { code: 'PAYMENT_UNKNOWN' },
    });
  });

  it('are for the issuer to record, to take back and to forgive', () => {
    const { state } = new SampleAccount();
    const debtor = { accountId, byIssuer: false, reference: 'a', amount: eur('1.00') };
    const decisions = [
      recordPayment(state, debtor, home),
      reversePayment(state, { ...debtor, reason: 'x' }),
      grantCredit(state, { ...debtor, reason: 'x' }, { ...home, commandKey: 'k' }),
      voidInvoice(state, { ...debtor, invoiceId: 'x', reason: 'x' }, home),
    ];
    for (const decision of decisions) {
      expect(decision).toMatchObject({ refusal: { code: 'NOT_ALLOWED' } });
    }
    expect(
      recordPayment(state, { ...debtor, byIssuer: true, amount: eur('0') }, home),
    ).toMatchObject({ refusal: { code: 'AMOUNT_NOT_POSITIVE' } });
  });
});

describe('a void invoice', () => {
  it('is out of the books by its credit note, and what was paid of it pays the next', () => {
    const account = new SampleAccount();
    const first = books(account, 0, 2000n);
    books(account, 1, 3000n);
    pays(account, 'a', '25.00');
    const [note] = voids(account, first);
    expect(legsOf(note)).toEqual([
      { account: 'receivable', amount: eur('-20.00') },
      { account: 'revenue.plans', amount: eur('20.00') },
    ]);
    expect(open(account)).toEqual(['0.00', '5.00']);
    expect(voids(account, first)).toEqual([]);
  });

  it('leaves what was paid as credit where nothing else is owed', () => {
    const account = new SampleAccount();
    const only = books(account, 0, 2000n);
    pays(account, 'a', '20.00');
    expect(legsOf(voids(account, only)[0])).toEqual([
      { account: 'credit', amount: eur('-20.00') },
      { account: 'revenue.plans', amount: eur('20.00') },
    ]);
  });

  it('is refused of one that is not in the books', () => {
    const account = new SampleAccount();
    const unknown = voidInvoice(
      account.state,
      { ...ours, invoiceId: invoiceIdOf(accountId, '2026-01'), reason: 'x' },
      home,
    );
    expect(unknown).toMatchObject({ refusal: { code: 'INVOICE_UNKNOWN' } });
  });
});

const step = fc.oneof(
  fc.record({ kind: fc.constant('invoice' as const), cents: fc.integer({ min: 1, max: 9999 }) }),
  fc.record({
    kind: fc.constant('payment' as const),
    cents: fc.integer({ min: 1, max: 20_000 }),
    reference: fc.nat(6),
  }),
  fc.record({ kind: fc.constant('reversal' as const), reference: fc.nat(6) }),
  fc.record({ kind: fc.constant('credit' as const), cents: fc.integer({ min: 1, max: 5000 }) }),
  fc.record({ kind: fc.constant('void' as const), which: fc.nat(8) }),
);

describe('the journal', () => {
  it('balances after every event, and its accounts are what a plain reckoning says', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const account = new SampleAccount();
        const trial = new Map<string, bigint>();
        const plain = { invoices: [] as { id: string; cents: number; gone: boolean }[] };
        const payments = new Map<string, { cents: number; back: boolean }>();
        let granted = 0;
        let seen = account.events.length;
        steps.forEach((one, n) => {
          if (one.kind === 'invoice') {
            const id = books(account, plain.invoices.length, BigInt(one.cents));
            plain.invoices.push({ id, cents: one.cents, gone: false });
          } else if (one.kind === 'payment') {
            const reference = `r${one.reference}`;
            if (payments.has(reference)) return;
            pays(account, reference, (one.cents / 100).toFixed(2));
            payments.set(reference, { cents: one.cents, back: false });
          } else if (one.kind === 'reversal') {
            const payment = payments.get(`r${one.reference}`);
            if (payment === undefined) return;
            const back = { ...ours, reference: `r${one.reference}`, reason: 'returned' };
            account.when((state) => reversePayment(state, back));
            payment.back = true;
          } else if (one.kind === 'credit') {
            const amount = money(BigInt(one.cents), 'EUR');
            const context = {
              ...home,
              commandKey: `6a1f2f0e-9a0c-5b0c-8a5e-${String(n).padStart(12, '0')}`,
            };
            account.when((state) => grantCredit(state, { ...ours, amount, reason: 'x' }, context));
            granted += one.cents;
          } else {
            const invoice = plain.invoices[one.which];
            if (invoice === undefined) return;
            voids(account, invoice.id);
            invoice.gone = true;
          }
          for (const event of account.events.slice(seen)) {
            for (const { account: name, amount } of legsOf(event)) {
              trial.set(name, (trial.get(name) ?? 0n) + minorUnits(amount));
            }
            // Zero after every single event, not only at the end of a step.
            expect([...trial.values()].reduce((sum, x) => sum + x, 0n)).toBe(0n);
          }
          seen = account.events.length;

          const cash = [...payments.values()].reduce((sum, p) => sum + (p.back ? 0 : p.cents), 0);
          let funds = cash + granted;
          const expected = plain.invoices.map(({ cents, gone }) => {
            if (gone) return 0;
            const paid = Math.min(Math.max(funds, 0), cents);
            funds -= paid;
            return cents - paid;
          });
          const opens = plain.invoices.map(({ id }) => {
            const invoice = account.state.ledger.invoices.get(id);
            return invoice === undefined ? -1 : Number(openOf(invoice));
          });
          expect(opens).toEqual(expected);
          const owed = expected.reduce((sum, cents) => sum + cents, 0);
          expect(trial.get('receivable') ?? 0n).toBe(BigInt(owed));
          expect(trial.get('credit') ?? 0n).toBe(BigInt(-Math.max(funds, 0)));
          expect(trial.get('cash') ?? 0n).toBe(BigInt(cash));
        });
      }),
      { numRuns: 200 },
    );
  });
});
