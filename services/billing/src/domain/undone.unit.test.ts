import { describe, expect, it } from '@jest/globals';
import { minorUnits } from '@bivouac/events/values';
import fc from 'fast-check';

import { closeMonth } from './closing.ts';
import { rate } from './rating.ts';
import { accountId, containerId, eur, SampleAccount } from './sample-charges.ts';

const months = ['2026-04', '2026-05', '2026-06'] as const;

function closes(account: SampleAccount, month: string): void {
  const input = { accountId, month, versions: [] };
  account.when((state) => closeMonth(state, input, { now: '2027-01-01T00:00:00.000Z' }));
}

/** All that the account owes in the end, less what it was granted. */
function owes(account: SampleAccount): bigint {
  const rated = [...months, '2026-07', '2026-08'].map((month) => {
    const closed = account.state.closed.get(month);
    if (closed !== undefined) return closed.owed?.total;
    const open = rate(account.state, month);
    return open.kind === 'owed' ? open.total : undefined;
  });
  const invoiced = rated.reduce(
    (n, total) => n + (total === undefined ? 0n : minorUnits(total)),
    0n,
  );
  return invoiced - (account.state.ledger.funds.get('EUR') ?? 0n);
}

describe('an order that was undone', () => {
  it('is charged neither its set-up nor a day', () => {
    const account = new SampleAccount();
    account.starts('2026-04-10T09:00:00.000Z');
    account.ends('2026-04-10T09:05:00.000Z');
    expect(account.undoes('2026-04-10T09:05:00.000Z')).toMatchObject([
      { type: 'billing.SubscriptionVoided', data: { containerId: containerId('web1') } },
    ]);
    expect(rate(account.state, '2026-04').kind).toBe('nothing');
    expect(account.undoes('2026-04-10T09:05:00.000Z')).toEqual([]);
  });

  it('that a closed month has charged comes back as credit', () => {
    const account = new SampleAccount();
    account.starts('2026-04-30T23:58:00.000Z');
    closes(account, '2026-04');
    account.ends('2026-05-01T00:03:00.000Z');
    expect(account.undoes('2026-05-01T00:03:00.000Z')).toMatchObject([
      { type: 'billing.SubscriptionVoided' },
      // One day of 20.00 in April, and 10.00 for the set-up.
      { type: 'billing.CreditGranted', data: { amount: eur('10.67') } },
    ]);
    expect(owes(account)).toBe(0n);
  });

  it('of a container the account does not know is refused: its start is taken up first', () => {
    expect(() => new SampleAccount().undoes('2026-04-10T09:00:00.000Z')).toThrow(
      'SUBSCRIPTION_UNKNOWN',
    );
  });
});

describe('an address whose attaching was undone', () => {
  it('is charged for no day, and leaves the others as they would be without it', () => {
    const account = new SampleAccount();
    account.starts('2026-04-01T00:00:00.000Z');
    account.adds('2026-04-10T09:00:00.000Z', 'b');
    account.detaches('2026-04-10T09:05:00.000Z', 'b');
    expect(account.detaches('2026-04-10T09:05:00.000Z', 'b')).toEqual([]);
    expect(rate(account.state, '2026-04')).toMatchObject({
      total: eur('30.00'),
      subtotals: { addresses: eur('0.00') },
    });
    account.adds('2026-04-21T00:00:00.000Z', 'c');
    expect(rate(account.state, '2026-04')).toMatchObject({
      subtotals: { addresses: eur('0.67') },
    });
  });
});

const day = fc.integer({ min: 0, max: 90 });
const at = (n: number): string => new Date(Date.UTC(2026, 3, 1 + n, 12)).toISOString();

describe('whatever is undone, and whenever months are closed', () => {
  it('costs in the end what it would cost had it never been', () => {
    fc.assert(
      fc.property(
        day,
        fc.array(day, { maxLength: 3 }),
        fc.array(day, { maxLength: 3 }),
        fc.nat(3),
        fc.nat(3),
        (start, added, undone, closedBefore, closedAfter) => {
          const [account, other] = [new SampleAccount(), new SampleAccount()];
          for (const each of [account, other]) each.starts(at(start), 'kept');
          account.starts(at(start), 'web1');
          for (const [n, more] of added.entries()) {
            account.adds(at(start + more), `more-${n}`, 'web1');
          }
          for (const [n, more] of undone.entries()) {
            account.adds(at(start + more), `undone-${n}`, 'kept');
          }
          for (const month of months.slice(0, closedBefore)) {
            for (const each of [account, other]) closes(each, month);
          }
          for (const [n, more] of undone.entries()) {
            account.detaches(at(start + more), `undone-${n}`, 'kept');
          }
          account.ends(at(start + 90), 'web1');
          account.undoes(at(start + 90), 'web1');
          for (const month of months.slice(closedBefore, closedBefore + closedAfter)) {
            for (const each of [account, other]) closes(each, month);
          }
          expect(owes(account)).toBe(owes(other));
        },
      ),
    );
  });
});
