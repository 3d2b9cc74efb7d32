import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { minorUnits } from '@bivouac/events/values';

import type { AccountState } from './account.ts';
import { prorated, rate, type Line } from './rating.ts';
import { causeAt, eur, SampleAccount, sampleTerms } from './sample-charges.ts';

function owed(state: AccountState, month: string) {
  const rated = rate(state, month);
  if (rated.kind !== 'owed') throw new Error(rated.kind);
  return rated;
}

function worked(): SampleAccount {
  const account = new SampleAccount();
  account.starts('2026-04-10T09:00:00.000Z', 'web1', { addresses: ['192.0.2.10'] });
  account.adds('2026-04-15T12:00:00.000Z', '192.0.2.11');
  return account;
}

const day = (n: number): string => `2026-04-${String(n).padStart(2, '0')}`;
const noon = (n: number): string => `${day(n)}T12:00:00.000Z`;
const brief = (line: Line) => [line.kind, line.quantity.days, line.quantity.of, line.amount.amount];

describe('rating', () => {
  it('charges 25.07 for a container from 10 April with an address from 15 April', () => {
    const rated = owed(worked().state, '2026-04');
    expect(rated.lines.map(brief)).toEqual([
      ['plan', 21, 30, '14.00'],
      ['address', 16, 30, '1.07'],
      ['setup', 1, 1, '10.00'],
    ]);
    expect(rated.total).toEqual(eur('25.07'));
    expect(rated.subtotals).toEqual({
      plans: eur('14.00'),
      addresses: eur('1.07'),
      setup: eur('10.00'),
    });
    expect(rated.lines.map((line) => line.causes)).toEqual([
      [causeAt('2026-04-10T09:00:00.000Z', 'ContainerRunning')],
      [causeAt('2026-04-15T12:00:00.000Z', 'AddressesAttached-192.0.2.11')],
      [causeAt('2026-04-10T09:00:00.000Z', 'ContainerRunning')],
    ]);
    expect(rated.lines[0]?.service).toEqual({ zone: 'UTC', from: day(10), until: '2026-05-01' });
    expect(rated.periods).toEqual([
      {
        zone: 'UTC',
        startsAt: '2026-04-01T00:00:00.000Z',
        endsAt: '2026-05-01T00:00:00.000Z',
        days: 30,
      },
    ]);
  });

  it('charges whole months in full and the set-up never again', () => {
    expect(owed(worked().state, '2026-05').lines.map(brief)).toEqual([
      ['plan', 31, 31, '20.00'],
      ['address', 31, 31, '2.00'],
    ]);
  });

  it('owes nothing before the start and after the end', () => {
    const account = worked();
    account.ends(noon(20));
    for (const month of ['2026-03', '2026-05']) {
      expect(rate(account.state, month)).toMatchObject({ kind: 'nothing' });
    }
  });

  it('counts the day of the start and not that of the end, and names both events', () => {
    const account = worked();
    account.ends(noon(20));
    const [plan] = owed(account.state, '2026-04').lines;
    expect(plan?.quantity).toEqual({ days: 10, of: 30 });
    expect(plan?.service).toMatchObject({ from: day(10), until: day(20) });
    expect(plan?.causes.map((cause) => cause.type)).toEqual([
      'containers.ContainerRunning',
      'containers.ContainerDeleted',
    ]);
  });

  it("counts one day for a service that ends on the day it began, also on a month's last", () => {
    const account = new SampleAccount();
    account.starts('2026-04-30T09:00:00.000Z');
    account.ends('2026-04-30T10:00:00.000Z');
    expect(owed(account.state, '2026-04').lines.map(brief)).toEqual([
      ['plan', 1, 30, '0.67'],
      ['setup', 1, 1, '10.00'],
    ]);
    expect(rate(account.state, '2026-05').kind).toBe('nothing');
  });

  it("counts days and months of the subscription's zone", () => {
    const account = new SampleAccount();
    // 1 April 00:30 in Berlin, and 31 March in New York.
    account.starts('2026-03-31T22:30:00.000Z', 'berlin', { zone: 'Europe/Berlin' });
    account.starts('2026-03-31T22:30:00.000Z', 'york', { zone: 'America/New_York' });
    expect(owed(account.state, '2026-03').lines.map(brief)).toEqual([
      ['plan', 1, 31, '0.65'],
      ['setup', 1, 1, '10.00'],
    ]);
    const april = owed(account.state, '2026-04');
    expect(april.periods.map(({ zone, startsAt, endsAt }) => [zone, startsAt, endsAt])).toEqual([
      ['America/New_York', '2026-04-01T04:00:00.000Z', '2026-05-01T04:00:00.000Z'],
      ['Europe/Berlin', '2026-03-31T22:00:00.000Z', '2026-04-30T22:00:00.000Z'],
    ]);
  });

  it('gives the included addresses to the senior ones in service', () => {
    const account = worked();
    account.removes(noon(20), '192.0.2.10');
    const lines = owed(account.state, '2026-04').lines.filter((line) => line.kind === 'address');
    // From 20 April the second is the included one, and the removal of the first says why.
    expect(lines.map(brief)).toEqual([['address', 5, 30, '0.33']]);
    expect(lines[0]?.causes.map((cause) => cause.type)).toEqual([
      'containers.AddressesAttached-192.0.2.11',
      'containers.AddressesDetached-192.0.2.10',
    ]);
  });

  it('owes nothing where every price is zero', () => {
    const account = new SampleAccount();
    const free = { monthly: eur('0.00'), setup: eur('0.00'), extraAddressMonthly: eur('0.00') };
    account.starts(noon(10), 'web1', { terms: sampleTerms(free) });
    expect(rate(account.state, '2026-04').kind).toBe('nothing');
  });

  it('does not add up two currencies', () => {
    const account = worked();
    const usd = { amount: '5.00', currency: 'USD' };
    account.starts(noon(11), 'other', { terms: sampleTerms({ monthly: usd, setup: usd }) });
    expect(rate(account.state, '2026-04')).toEqual({
      kind: 'currencies-differ',
      currencies: ['EUR', 'USD'],
    });
  });

  it('rounds halves up at the minor unit, once per line', () => {
    expect(prorated(eur('0.15'), 1, 30)).toEqual(eur('0.01'));
    expect(prorated(eur('0.14'), 1, 30)).toEqual(eur('0.00'));
    expect(prorated({ amount: '45', currency: 'JPY' }, 1, 30)).toEqual({
      amount: '2',
      currency: 'JPY',
    });
  });

  it('prices any division of a month to the whole, up to half a minor unit for each part', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 29 }), { maxLength: 29 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), cuts, (price, inner) => {
        const bounds = [0, ...inner.sort((a, b) => a - b), 30];
        const money = { amount: (price / 100).toFixed(2), currency: 'EUR' };
        const parts = bounds
          .slice(1)
          .map((until, i) => minorUnits(prorated(money, until - (bounds[i] ?? 0), 30)));
        const sum = parts.reduce((a, b) => a + b, 0n);
        const off = sum - BigInt(price);
        expect((off < 0n ? -off : off) * 2n).toBeLessThanOrEqual(BigInt(parts.length));
      }),
    );
  });

  it('charges each day of a divided service once: the days sum exactly', () => {
    const days = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(days, (unsorted) => {
        const bounds = unsorted.sort((a, b) => a - b);
        const account = new SampleAccount();
        bounds.slice(1).forEach((until, i) => {
          account.starts(noon(bounds[i] ?? 0), `part${i}`);
          account.ends(noon(until), `part${i}`);
        });
        const charged = owed(account.state, '2026-04')
          .lines.filter((line) => line.kind === 'plan')
          .reduce((sum, line) => sum + line.quantity.days, 0);
        expect(charged).toBe((bounds.at(-1) ?? 0) - (bounds[0] ?? 0));
      }),
    );
  });

  it('agrees with a recomputation that walks through the days', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const account = replayed(history, (_i) => 0);
        const rated = rate(account.state, '2026-04');
        const total = rated.kind === 'owed' ? minorUnits(rated.total) : 0n;
        expect(total).toBe(history.reduce((sum, one) => sum + walked(one), 0n));
      }),
    );
  });

  it("is the same whatever the order in which containers' events arrive", () => {
    fc.assert(
      fc.property(histories, fc.array(fc.nat(9), { maxLength: 40 }), (history, choices) => {
        const inOrder = rate(replayed(history, () => 0).state, '2026-04');
        let n = 0;
        const mixed = replayed(history, (open) => (choices[n++] ?? 0) % open);
        expect(rate(mixed.state, '2026-04')).toEqual(inOrder);
      }),
    );
  });
});

/** What happened to one container in April, by days; addresses come and go one after the other. */
interface History {
  readonly name: string;
  readonly included: number;
  readonly start: number;
  readonly end: number | undefined;
  readonly addresses: readonly { readonly from: number; readonly until: number | undefined }[];
}

const history = (name: string): fc.Arbitrary<History> =>
  fc
    .record({
      included: fc.integer({ min: 1, max: 3 }),
      start: fc.integer({ min: 1, max: 30 }),
      length: fc.option(fc.integer({ min: 0, max: 29 }), { nil: undefined }),
      addresses: fc.array(
        fc.record({
          wait: fc.integer({ min: 0, max: 29 }),
          length: fc.option(fc.integer({ min: 0, max: 29 }), { nil: undefined }),
        }),
        { maxLength: 5 },
      ),
    })
    .map(({ included, start, length, addresses }) => {
      const end = length === undefined ? undefined : Math.min(30, start + length);
      const last = end ?? 30;
      const spans = addresses
        .map(({ wait, length: long }) => {
          const from = Math.min(last, start + wait);
          return { from, until: long === undefined ? undefined : Math.min(last, from + long) };
        })
        .sort((a, b) => a.from - b.from);
      return { name, included, start, end, addresses: spans };
    });

const histories = fc
  .integer({ min: 1, max: 4 })
  .chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => history(`c${i}`))));

/** Plays the histories; `choose` says which container's next event comes, of those with one left. */
function replayed(all: readonly History[], choose: (open: number) => number): SampleAccount {
  const account = new SampleAccount();
  let queues = all.map((one) => stepsOf(one, account));
  while (queues.length > 0) {
    queues[choose(queues.length)]?.shift()?.();
    queues = queues.filter((queue) => queue.length > 0);
  }
  return account;
}

function stepsOf(one: History, account: SampleAccount): (() => void)[] {
  const terms = sampleTerms({ includedAddresses: one.included });
  const steps: { day: number; rank: number; run: () => void }[] = [
    {
      day: one.start,
      rank: 0,
      run: () => account.starts(noon(one.start), one.name, { terms, addresses: [] }),
    },
  ];
  one.addresses.forEach(({ from, until }, i) => {
    const name = `${one.name}-a${i}`;
    steps.push({ day: from, rank: 1, run: () => account.adds(noon(from), name, one.name) });
    if (until !== undefined) {
      steps.push({ day: until, rank: 2, run: () => account.removes(noon(until), name, one.name) });
    }
  });
  const { end } = one;
  if (end !== undefined)
    steps.push({ day: end, rank: 3, run: () => account.ends(noon(end), one.name) });
  return steps.sort((a, b) => a.day - b.day || a.rank - b.rank).map((step) => step.run);
}

/** April by walking its days: 20.00 a month, 2.00 for each address beyond the included, 10.00 once. */
function walked(one: History): bigint {
  const inService = (from: number, until: number | undefined, at: number): boolean =>
    at >= from && (until === undefined || at < Math.max(until, from + 1));
  let days = 0;
  const extra = one.addresses.map(() => 0);
  for (let at = 1; at <= 30; at++) {
    if (!inService(one.start, one.end, at)) continue;
    days += 1;
    let senior = 0;
    one.addresses.forEach(({ from, until }, i) => {
      if (!inService(from, until, at)) return;
      senior += 1;
      if (senior > one.included) extra[i] = (extra[i] ?? 0) + 1;
    });
  }
  const rounded = (price: number, n: number): bigint =>
    BigInt(Math.floor((2 * price * n + 30) / 60));
  return 1000n + rounded(2000, days) + extra.reduce((sum, n) => sum + rounded(200, n), 0n);
}
