import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { minorUnits, money } from '@bivouac/events/values';

import { accountInitial, invoiceIdOf } from './account.ts';
import { periodOf } from './calendar.ts';
import { bookInvoice, closeMonth } from './closing.ts';
import { entryOf, ledgerInitial, revenueLegs } from './ledger.ts';
import { RATED_BY, rate } from './rating.ts';
import { accountId, eur, issuerId, SampleAccount, sampleTerms } from './sample-charges.ts';

const month = '2026-04';
const home = { homeId: accountId };
const afterApril = { now: '2026-05-01T00:00:00.000Z' };
const booking = {
  accountId,
  invoiceId: invoiceIdOf(accountId, month),
  number: '2026-000001',
  month,
  total: eur('25.07'),
  subtotals: { plans: eur('14.00'), addresses: eur('1.07'), setup: eur('10.00') },
  issuerId,
  periods: [periodOf(month, 'UTC')],
  ratedBy: RATED_BY,
  lineCount: 3,
  lines: '0'.repeat(64),
  closed: { stream: `account-${accountId}`, revision: '4' },
  issued: { stream: `series-${issuerId}`, revision: '0' },
  issuedAt: afterApril.now,
};

function charged(): SampleAccount {
  const account = new SampleAccount();
  account.starts('2026-04-10T09:00:00.000Z');
  account.adds('2026-04-15T12:00:00.000Z', 'second');
  return account;
}

function closed(): SampleAccount {
  const account = charged();
  account.when((state) => closeMonth(state, { accountId, month, versions: [] }, afterApril));
  return account;
}

describe('closing a month', () => {
  it('records what is owed, with the bounds it was rated in', () => {
    const [event] = closed().events.slice(-1);
    expect(event).toMatchObject({
      type: 'billing.MonthClosed',
      data: {
        month,
        periods: [{ zone: 'UTC', startsAt: '2026-04-01T00:00:00.000Z' }],
        owed: { invoiceId: booking.invoiceId, total: eur('25.07'), lineCount: 3 },
      },
    });
  });

  it('happens once: again it changes nothing, at any time', () => {
    const { state } = closed();
    for (const now of [afterApril.now, '2020-01-01T00:00:00.000Z']) {
      const again = closeMonth(state, { accountId, month, versions: [] }, { now });
      expect(again).toEqual({ kind: 'accepted', events: [] });
    }
  });

  it('is refused of the last month that a year of four digits has', () => {
    const last = { accountId, month: '9999-12', versions: [] };
    for (const { state } of [charged(), new SampleAccount()]) {
      expect(closeMonth(state, last, afterApril)).toMatchObject({
        refusal: { code: 'PERIOD_NOT_OVER' },
      });
    }
  });

  it('is refused until the month has ended in the zone charged in', () => {
    const early = closeMonth(
      charged().state,
      { accountId, month, versions: [] },
      { now: '2026-04-30T23:59:59.999Z' },
    );
    expect(early).toMatchObject({
      refusal: { code: 'PERIOD_NOT_OVER', details: { endsAt: afterApril.now, zone: 'UTC' } },
    });
    const account = new SampleAccount();
    account.starts('2026-04-10T09:00:00.000Z', 'web1', { zone: 'America/New_York' });
    expect(closeMonth(account.state, { accountId, month, versions: [] }, afterApril)).toMatchObject(
      {
        refusal: { code: 'PERIOD_NOT_OVER', details: { endsAt: '2026-05-01T04:00:00.000Z' } },
      },
    );
    expect(
      closeMonth(
        new SampleAccount().state,
        { accountId, month, versions: [] },
        { now: '2026-04-30T23:00:00.000Z' },
      ),
    ).toMatchObject({ refusal: { code: 'PERIOD_NOT_OVER' } });
  });

  it('closes a month without charges, in which nothing is owed', () => {
    const decision = closeMonth(
      charged().state,
      { accountId, month: '2026-03', versions: [] },
      afterApril,
    );
    expect(decision).toMatchObject({ events: [{ data: { month: '2026-03', owed: null } }] });
  });

  it('is refused for an account that is not there, and for two currencies', () => {
    expect(
      closeMonth(accountInitial(), { accountId, month, versions: [] }, afterApril),
    ).toMatchObject({
      refusal: { code: 'ACCOUNT_UNKNOWN' },
    });
    const account = charged();
    const usd = { amount: '5.00', currency: 'USD' };
    account.starts('2026-04-11T09:00:00.000Z', 'other', { terms: sampleTerms({ monthly: usd }) });
    expect(closeMonth(account.state, { accountId, month, versions: [] }, afterApril)).toMatchObject(
      {
        refusal: { code: 'CURRENCIES_DIFFER' },
      },
    );
  });

  it('is for good: whatever arrives later, the month rates to what it was closed with', () => {
    const late = fc.array(
      fc.record({
        kind: fc.constantFrom('start', 'add', 'remove', 'end'),
        day: fc.integer({ min: 1, max: 30 }),
        n: fc.nat(3),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(late, (facts) => {
        const account = closed();
        const before = rate(account.state, month);
        for (const { kind, day, n } of facts) {
          const at = `2026-04-${String(day).padStart(2, '0')}T12:00:00.000Z`;
          const gone = [...account.state.subscriptions.values()].some(
            (s) => s.hostname.startsWith('web1.') && s.ended !== undefined,
          );
          if (kind === 'start') account.starts(at, `late${n}`);
          else if (kind === 'remove') account.removes(at, n === 0 ? 'second' : 'web1-first');
          else if (kind === 'end') account.ends(at);
          else if (!gone) account.adds(at, `late${n}`);
        }
        expect(rate(account.state, month)).toEqual(before);
      }),
    );
  });
});

describe('booking an invoice', () => {
  it('is one journal entry, once', () => {
    const account = closed();
    const [event] = account.when((state) => bookInvoice(state, booking, home));
    expect(event).toMatchObject({
      type: 'billing.InvoiceBooked',
      data: {
        number: '2026-000001',
        legs: [
          { account: 'receivable', amount: eur('25.07') },
          { account: 'revenue.plans', amount: eur('-14.00') },
          { account: 'revenue.addresses', amount: eur('-1.07') },
          { account: 'revenue.setup', amount: eur('-10.00') },
        ],
      },
    });
    expect(account.when((state) => bookInvoice(state, booking, home))).toEqual([]);
  });

  it('is refused for what the month was not closed with', () => {
    const { state } = closed();
    const code = (input: typeof booking, of = state) => {
      const decision = bookInvoice(of, input, home);
      return decision.kind === 'refused' ? decision.refusal.code : undefined;
    };
    expect(code({ ...booking, total: eur('25.08') })).toBe('INVOICE_DIFFERS');
    expect(code({ ...booking, invoiceId: invoiceIdOf(accountId, '2026-03') })).toBe(
      'INVOICE_DIFFERS',
    );
    expect(code({ ...booking, month: '2026-03' })).toBe('MONTH_NOT_CLOSED');
    expect(code(booking, accountInitial())).toBe('ACCOUNT_UNKNOWN');
  });

  it('has legs that sum to zero', () => {
    const part = fc.bigInt({ min: 0n, max: 10n ** 14n });
    fc.assert(
      fc.property(part, part, part, (plans, addresses, setup) => {
        const subtotals = {
          plans: money(plans, 'EUR'),
          addresses: money(addresses, 'EUR'),
          setup: money(setup, 'EUR'),
        };
        fc.pre(plans + addresses + setup > 0n);
        const total = money(plans + addresses + setup, 'EUR');
        const change = { kind: 'booked', invoiceId: booking.invoiceId, total } as const;
        const { legs } = entryOf(ledgerInitial(), change, revenueLegs(subtotals));
        expect(legs.reduce((sum, leg) => sum + minorUnits(leg.amount), 0n)).toBe(0n);
        expect(minorUnits(legs[0]?.amount ?? eur('0'))).toBe(plans + addresses + setup);
      }),
    );
  });
});
