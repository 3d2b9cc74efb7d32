/** Money: the checks find every history in which a balance, a number or a hold is not what follows. */
import { describe, expect, test } from '@jest/globals';
import { TenantHoldLifted, TenantHoldPlaced } from '@bivouac/events/accounts';
import {
  CreditGranted,
  CreditNoteBooked,
  CreditNoteIssued,
  DunningHoldClear,
  DunningHoldDue,
  InvoiceBooked,
  InvoiceIssued,
  InvoiceVoided,
  type LedgerAccount,
  MonthClosed,
  PaymentRecorded,
  PaymentReversed,
} from '@bivouac/events/billing';
import { deriveId, money } from '@bivouac/events/values';

import { bookViolations } from './books.ts';
import { dunningViolations } from './dunning.ts';
import { issueViolations } from './issued.ts';
import { SampleHistory, tenantId } from './sample-history.ts';

const accountId = tenantId;
const invoiceId = deriveId('invoice', 'one');
const creditNoteId = deriveId('creditNote', 'one');
const eur = (cents: number) => money(BigInt(cents), 'EUR');
const legs = (...list: readonly (readonly [LedgerAccount, number])[]) =>
  list.map(([account, cents]) => ({ account, amount: eur(cents) }));
const settled = (paid: number, open: number, of = invoiceId) => [
  { invoiceId: of, paid: eur(paid), open: eur(open) },
];

function booked(history: SampleHistory, cents: number, of = invoiceId, credit = 0): void {
  history.add(InvoiceBooked, {
    ...{ accountId, invoiceId: of, total: eur(cents), number: '2026-000001' },
    legs: legs(['receivable', cents - credit], ['credit', credit], ['revenue.plans', -cents]),
    ...(credit > 0 && { settled: settled(credit, cents - credit, of) }),
  });
}

/** What came in (or, below zero, went back) as the books have it: from owed to settled. */
function paid(
  history: SampleHistory,
  amount: number,
  entry: { receivable: number; credit: number; settled?: ReturnType<typeof settled> },
): void {
  const facts = {
    ...{ accountId, amount: eur(Math.abs(amount)), settled: entry.settled ?? [] },
    legs: legs(['cash', amount], ['receivable', -entry.receivable], ['credit', -entry.credit]),
  };
  if (amount < 0) history.add(PaymentReversed, facts);
  else history.add(PaymentRecorded, facts);
}

const violated = (history: SampleHistory): string[] => bookViolations(history.events);

describe('the books', () => {
  test('invoiced, paid in parts and beyond, reversed and credited, they are right', () => {
    const history = new SampleHistory();
    booked(history, 1000);
    paid(history, 400, { receivable: 400, credit: 0, settled: settled(400, 600) });
    paid(history, 800, { receivable: 600, credit: 200, settled: settled(1000, 0) });
    booked(history, 500, deriveId('invoice', 'two'), 200);
    paid(history, -800, {
      receivable: -800,
      credit: 0,
      settled: [...settled(400, 600), ...settled(0, 500, deriveId('invoice', 'two'))],
    });
    history.add(CreditGranted, {
      ...{ accountId, amount: eur(600), settled: settled(1000, 0) },
      legs: legs(['revenue.credits', 600], ['receivable', -600]),
    });
    history.add(CreditNoteBooked, {
      ...{ accountId, invoiceId, creditNoteId, total: eur(-1000) },
      legs: legs(['receivable', -500], ['credit', -500], ['revenue.plans', 1000]),
      settled: settled(500, 0, deriveId('invoice', 'two')),
    });
    expect(violated(history)).toEqual([]);
  });

  test('an entry whose legs do not sum to zero is found', () => {
    const history = new SampleHistory();
    history.add(InvoiceBooked, {
      ...{ accountId, invoiceId, total: eur(1000) },
      legs: legs(['receivable', 1000], ['revenue.plans', -999]),
    });
    expect(violated(history)).toEqual([expect.stringContaining('its legs sum to 1')]);
  });

  test('an entry in two currencies is found', () => {
    const history = new SampleHistory();
    history.add(InvoiceBooked, {
      ...{ accountId, invoiceId, total: eur(1000) },
      legs: [
        ...legs(['receivable', 1000]),
        { account: 'revenue.plans', amount: money(-1000n, 'USD') },
      ],
    });
    expect(violated(history)).toContainEqual(expect.stringContaining('two currencies'));
  });

  test('money that is booked to credit while something is owed is found', () => {
    const history = new SampleHistory();
    booked(history, 1000);
    paid(history, 400, { receivable: 0, credit: 400 });
    expect(violated(history)).toEqual([
      expect.stringContaining('has 0 paid, and the money there was pays 400'),
      expect.stringContaining('receivable is 1000, and 600 is owed'),
      expect.stringContaining('credit is -400, and 0 is left over'),
    ]);
  });

  test('an invoice that is said to be paid by money that never came is found', () => {
    const history = new SampleHistory();
    booked(history, 1000);
    paid(history, 400, { receivable: 400, credit: 0, settled: settled(1000, 0) });
    expect(violated(history)).toEqual([expect.stringContaining('has 1000 paid')]);
  });

  test('a younger invoice that is paid before an elder one is found', () => {
    const history = new SampleHistory();
    const two = deriveId('invoice', 'two');
    booked(history, 1000);
    booked(history, 500, two);
    paid(history, 500, { receivable: 500, credit: 0, settled: settled(500, 0, two) });
    expect(violated(history)).toHaveLength(2);
  });
});

const stream = 'series-one';
const closed = (history: SampleHistory, cents: number | null, month = '2026-04', of = invoiceId) =>
  history.add(MonthClosed, {
    ...{ accountId, month },
    owed: cents === null ? null : { invoiceId: of, total: eur(cents), ...nothingElse },
  });
const nothingElse = {
  subtotals: { plans: eur(0), addresses: eur(0), setup: eur(0) },
  lineCount: 1,
};
const issue = (history: SampleHistory, number: string, cents: number, of = invoiceId) =>
  history.add(InvoiceIssued, { invoiceId: of, number, total: eur(cents) }, { stream });

describe('numbers', () => {
  const faulty = (history: SampleHistory): string[] => issueViolations(history.events);

  test('closed, issued, booked, voided and credited once each is right; so is a month without', () => {
    const history = new SampleHistory();
    closed(history, null, '2026-03');
    closed(history, 1000);
    issue(history, '2026-000001', 1000);
    booked(history, 1000);
    history.add(InvoiceVoided, { accountId, invoiceId, creditNoteId });
    const note = { creditNoteId, invoiceId, number: 'C2026-000001', total: eur(-1000) };
    history.add(CreditNoteIssued, note, { stream: 'credits-one' });
    history.add(CreditNoteBooked, { accountId, ...note });
    expect(faulty(history)).toEqual([]);
  });

  test('a number that is left out, and one that is given twice, are found', () => {
    for (const second of ['2026-000003', '2026-000001', 'C2026-000002']) {
      const history = new SampleHistory();
      const two = deriveId('invoice', 'two');
      closed(history, 1000);
      closed(history, 500, '2026-05', two);
      issue(history, '2026-000001', 1000);
      issue(history, second, 500, two);
      booked(history, 1000);
      booked(history, 500, two);
      expect(faulty(history)).toEqual([expect.stringContaining('2026-000002 is next')]);
    }
  });

  test('what is closed and never issued, or issued and never booked, is found', () => {
    const history = new SampleHistory();
    closed(history, 1000);
    expect(faulty(history)).toEqual([
      expect.stringContaining('is issued over nothing, and is due over 1000 EUR'),
      expect.stringContaining('is booked over nothing'),
    ]);
    issue(history, '2026-000001', 1000);
    expect(faulty(history)).toEqual([expect.stringContaining('is booked over nothing')]);
  });

  test('an invoice over another amount, issued or booked twice, or that nobody closed a month for, is found', () => {
    const history = new SampleHistory();
    closed(history, 1000);
    issue(history, '2026-000001', 1001);
    booked(history, 1000);
    expect(faulty(history)).toEqual([expect.stringContaining('is issued over 1001 EUR')]);

    const twice = new SampleHistory();
    closed(twice, 1000);
    closed(twice, 1000);
    issue(twice, '2026-000001', 1000);
    issue(twice, '2026-000002', 1000);
    booked(twice, 1000);
    booked(twice, 1000);
    expect(faulty(twice)).toEqual([
      expect.stringContaining('closed twice'),
      expect.stringContaining('issued twice'),
      expect.stringContaining('booked twice'),
    ]);

    const never = new SampleHistory();
    issue(never, '2026-000001', 1000);
    booked(never, 1000);
    expect(faulty(never)).toContainEqual(expect.stringContaining('is due over nothing'));
  });

  test('a void invoice without its credit note, or with one over another amount, is found', () => {
    const history = new SampleHistory();
    closed(history, 1000);
    issue(history, '2026-000001', 1000);
    booked(history, 1000);
    history.add(InvoiceVoided, { accountId, invoiceId, creditNoteId });
    expect(faulty(history)).toHaveLength(2);
    const note = { creditNoteId, invoiceId, number: 'C2026-000001', total: eur(-999) };
    history.add(CreditNoteIssued, note, { stream: 'credits-one' });
    history.add(CreditNoteBooked, { accountId, ...note });
    expect(faulty(history)).toEqual([
      expect.stringContaining('is issued over -999 EUR, and is due over -1000 EUR'),
      expect.stringContaining('is booked over -999 EUR'),
    ]);
  });
});

describe('dunning', () => {
  const faulty = (history: SampleHistory): string[] => dunningViolations(history.events);
  const holdId = deriveId('hold', 'dunning', invoiceId, '0');
  const hold = { holdId, kind: 'billing', reason: 'overdue' } as const;
  const due = { accountId, homeId: tenantId, invoiceId };

  /** An invoice that has come to its hold. */
  function overdue(): SampleHistory {
    const history = new SampleHistory();
    booked(history, 1000);
    history.add(DunningHoldDue, { ...due, stage: 'hold' });
    history.add(TenantHoldPlaced, { tenantId, hold });
    return history;
  }

  test('held while it is due, and let go when it is paid, is right', () => {
    const history = overdue();
    expect(faulty(history)).toEqual([]);
    paid(history, 1000, { receivable: 1000, credit: 0, settled: settled(1000, 0) });
    history.add(DunningHoldClear, due);
    history.add(TenantHoldLifted, { tenantId, hold });
    expect(faulty(history)).toEqual([]);
  });

  test('a hold that is not placed, or not lifted, is found', () => {
    const history = new SampleHistory();
    booked(history, 1000);
    history.add(DunningHoldDue, { ...due, stage: 'hold' });
    expect(faulty(history)).toEqual([expect.stringContaining('0 holds stand')]);

    const other = overdue();
    paid(other, 1000, { receivable: 1000, credit: 0, settled: settled(1000, 0) });
    other.add(DunningHoldClear, due);
    expect(faulty(other)).toEqual([expect.stringContaining('1 holds stand')]);
  });

  test('a hold for what is paid or void is found', () => {
    const history = overdue();
    paid(history, 1000, { receivable: 1000, credit: 0, settled: settled(1000, 0) });
    expect(faulty(history)).toEqual([expect.stringContaining('still holds its account')]);

    const voided = overdue();
    voided.add(InvoiceVoided, { accountId, invoiceId, creditNoteId });
    expect(faulty(voided)).toHaveLength(1);

    const never = new SampleHistory();
    never.add(DunningHoldDue, { ...due, stage: 'hold' });
    never.add(DunningHoldClear, due);
    expect(faulty(never)).toEqual([expect.stringContaining('and is paid')]);
  });
});
