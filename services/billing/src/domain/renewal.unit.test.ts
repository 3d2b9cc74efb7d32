import { describe, expect, it } from '@jest/globals';

import { closeMonth } from './closing.ts';
import { rate } from './rating.ts';
import { type CatalogVersion, renewalsOf, renewed } from './renewal.ts';
import { accountId, causeAt, eur, larger, SampleAccount, sampleTerms } from './sample-charges.ts';

const first = sampleTerms();

/** Versions of the sample's plan by the price and the date they count from. */
function version(
  revision: number,
  monthly: string,
  effectiveFrom: string,
  forExisting: boolean,
): CatalogVersion {
  const source = { ...first.source, revision: String(revision) };
  return {
    planId: first.planId,
    terms: { ...first, source, monthly: eur(monthly), limits: { ...first.limits, cpuMillis: 1 } },
    effectiveFrom,
    forExisting,
    cause: causeAt(effectiveFrom, `PlanTermsReplaced-${revision}`),
  };
}

const defined = version(0, '20.00', '2026-01-01T00:00:00.000Z', false);
const newOnly = version(1, '25.00', '2026-04-01T00:00:00.000Z', false);
const forAll = version(2, '24.00', '2026-04-20T00:00:00.000Z', true);
const later = version(3, '28.00', '2026-06-01T00:00:00.000Z', true);
const versions = [defined, newOnly, forAll, later];

function running(): SampleAccount {
  const account = new SampleAccount();
  account.starts('2026-03-01T09:00:00.000Z');
  return account;
}

const priceIn = (account: SampleAccount, month: string): string[] => {
  const rated = rate(renewed(account.state, renewalsOf(account.state, month, versions)), month);
  return rated.kind === 'owed'
    ? rated.lines.filter((line) => line.kind === 'plan').map((line) => line.amount.amount)
    : [];
};

describe('new prices for existing subscriptions', () => {
  it('count from the first month that begins once they are in force, and only if they say so', () => {
    const account = running();
    expect(['2026-04', '2026-05', '2026-06'].map((month) => priceIn(account, month))).toEqual([
      ['20.00'],
      ['24.00'],
      ['28.00'],
    ]);
  });

  it('are recorded with the closing that first counts them, whose lines name the version', () => {
    const account = running();
    const close = (month: string, now: string) =>
      account.when((state) => closeMonth(state, { accountId, month, versions }, { now }));
    expect(close('2026-04', '2026-05-01T00:00:00.000Z').map((event) => event.type)).toEqual([
      'billing.MonthClosed',
    ]);
    const [renewal, closing] = close('2026-05', '2026-06-01T00:00:00.000Z');
    expect(renewal).toMatchObject({
      type: 'billing.TermsRenewed',
      data: {
        renewedFrom: '2026-05-01T00:00:00.000Z',
        // The container keeps what it may use: only the price is new.
        terms: { monthly: eur('24.00'), limits: first.limits, source: { revision: '2' } },
      },
    });
    expect(closing).toMatchObject({ data: { owed: { total: eur('24.00') } } });
    const rated = rate(account.state, '2026-05');
    expect(rated.kind === 'owed' && rated.lines[0]?.causes.map((cause) => cause.type)).toEqual([
      'containers.PlanTermsReplaced-2',
    ]);
    expect(renewalsOf(account.state, '2026-05', versions)).toEqual([]);
  });

  it('are the same whichever month is closed first', () => {
    const totals = [
      ['2026-05', '2026-06'],
      ['2026-06', '2026-05'],
    ].map((order) => {
      const account = running();
      for (const month of order) {
        account.when((state) =>
          closeMonth(state, { accountId, month, versions }, { now: '2026-07-01T00:00:00.000Z' }),
        );
      }
      return ['2026-05', '2026-06'].map((month) => account.state.closed.get(month)?.owed?.total);
    });
    expect(totals[0]).toEqual([eur('24.00'), eur('28.00')]);
    expect(totals[1]).toEqual(totals[0]);
  });

  it('leave alone what was ordered later, what is another plan by then, and own price lists', () => {
    const ordered = new SampleAccount();
    ordered.starts('2026-06-05T09:00:00.000Z', 'web1', { terms: later.terms });
    expect(priceIn(ordered, '2026-07')).toEqual(['28.00']);
    const changed = running();
    changed.resizes('2026-04-25T09:00:00.000Z', larger, 1);
    expect(priceIn(changed, '2026-05')).toEqual(['30.00']);
    const own = new SampleAccount();
    const pricedBy = { stream: 'prices-x', revision: '0' };
    own.starts('2026-03-01T09:00:00.000Z', 'web1', { terms: sampleTerms({ pricedBy }) });
    expect(priceIn(own, '2026-05')).toEqual(['20.00']);
  });
});
