import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { minorUnits } from '@bivouac/events/values';

import { type Line, rate } from './rating.ts';
import { causeAt, eur, larger, SampleAccount, sampleTerms, smaller } from './sample-charges.ts';

const month = '2026-04';
const day = (n: number): string => `2026-04-${String(n).padStart(2, '0')}`;
const at = (n: number, hour = 12): string =>
  `${day(n)}T${String(hour).padStart(2, '0')}:00:00.000Z`;

function linesOf(account: SampleAccount, kind = 'plan', of = month): readonly Line[] {
  const rated = rate(account.state, of);
  return rated.kind === 'owed' ? rated.lines.filter((line) => line.kind === kind) : [];
}

const brief = (line: Line) => [
  line.description.split(':')[0],
  line.service.from.slice(8),
  line.service.until.slice(5),
  line.amount.amount,
];

describe('a plan changed in the middle of a month', () => {
  it('charges each stretch by its days, and names what began and what ended it', () => {
    const account = new SampleAccount();
    account.starts(at(10));
    account.resizes(at(16), larger, 1);
    account.resizes(at(21), smaller, 2);
    const lines = linesOf(account);
    // 20.00 x 6/30, 30.00 x 5/30, 12.50 x 10/30.
    expect(lines.map(brief)).toEqual([
      ['VPS 1000', '10', '04-16', '4.00'],
      ['VPS 2000', '16', '04-21', '5.00'],
      ['VPS 500', '21', '05-01', '4.17'],
    ]);
    expect(lines.map((line) => line.causes.map((cause) => cause.type))).toEqual([
      ['containers.ContainerRunning', 'containers.ContainerResized-1'],
      ['containers.ContainerResized-1', 'containers.ContainerResized-2'],
      ['containers.ContainerResized-2'],
    ]);
    expect(linesOf(account, 'plan', '2026-05').map(brief)).toEqual([
      ['VPS 500', '01', '06-01', '12.50'],
    ]);
  });

  it('charges a day at the terms in force when it ends: a change there and back never was', () => {
    const account = new SampleAccount();
    account.starts(at(1));
    account.resizes(at(15, 8), larger, 1);
    account.resizes(at(15, 20), sampleTerms(), 2);
    expect(linesOf(account).map(brief)).toEqual([['VPS 1000', '01', '05-01', '20.00']]);
    account.resizes(at(20, 8), smaller, 3);
    account.resizes(at(20, 9), larger, 4);
    expect(linesOf(account).map(brief)).toEqual([
      ['VPS 1000', '01', '04-20', '12.67'],
      ['VPS 2000', '20', '05-01', '11.00'],
    ]);
  });

  it('names start and change where it is changed on its first day', () => {
    const account = new SampleAccount();
    account.starts(at(10, 8));
    account.resizes(at(10, 9), larger, 1);
    const [line] = linesOf(account);
    expect(line?.causes).toEqual([
      causeAt(at(10, 8), 'ContainerRunning'),
      causeAt(at(10, 9), 'ContainerResized-1'),
    ]);
  });

  it('takes the included addresses and their price from the terms of the day', () => {
    const account = new SampleAccount();
    account.starts(at(1));
    account.adds(at(1), '192.0.2.11');
    account.resizes(at(11), larger, 1);
    account.resizes(at(21), sampleTerms({ ...smaller, extraAddressMonthly: eur('3.00') }), 2);
    // The second address: charged, then included in the larger plan, then charged by the new price.
    expect(linesOf(account, 'address').map((l) => [l.quantity.days, l.amount.amount])).toEqual([
      [10, '0.67'],
      [10, '1.00'],
    ]);
  });

  it('is recorded once for an event that comes again, and not for what has ended', () => {
    const account = new SampleAccount();
    account.starts(at(10));
    expect(account.resizes(at(16), larger, 1)).toHaveLength(1);
    expect(account.resizes(at(16), larger, 1)).toEqual([]);
    account.ends(at(20));
    expect(account.resizes(at(21), smaller, 2)).toEqual([]);
  });
});

describe('a deletion that is taken back', () => {
  it('charges anew without set-up, and no day twice', () => {
    const account = new SampleAccount();
    account.starts(at(10));
    account.ends(at(15));
    account.restores(at(18), 1);
    expect(linesOf(account).map(brief)).toEqual([
      ['VPS 1000', '10', '04-15', '3.33'],
      ['VPS 1000', '18', '05-01', '8.67'],
    ]);
    expect(linesOf(account, 'setup')).toHaveLength(1);
  });

  it('on one day charges that day once', () => {
    const account = new SampleAccount();
    account.starts(at(10, 8));
    account.ends(at(10, 9));
    account.restores(at(10, 10), 1);
    account.ends(at(10, 11), 'web1', 'ContainerSoftDeleted-2');
    account.restores(at(10, 12), 2);
    const days = linesOf(account).reduce((sum, line) => sum + line.quantity.days, 0);
    expect(days).toBe(21);
  });

  it('begins once for an event that comes again', () => {
    const account = new SampleAccount();
    account.starts(at(10));
    account.ends(at(15));
    expect(account.restores(at(18), 1)).toHaveLength(1);
    expect(account.restores(at(18), 1)).toEqual([]);
    expect(account.ends(at(20), 'web1', 'ContainerSoftDeleted-2')).toHaveLength(1);
    expect(account.restores(at(18), 1)).toEqual([]);
  });
});

/** What happens to one container, in hours from 20 March on. */
interface Happening {
  readonly hour: number;
  readonly what: 'resize' | 'end-or-restore';
  readonly plan: number;
}

const plans = [sampleTerms(), larger, smaller] as const;
const priceOf = [2000n, 3000n, 1250n] as const;
const START = Date.UTC(2026, 2, 20);
const HOUR = 3_600_000;

const happenings = fc
  .array(
    fc.record({
      // Close together, so that many fall on one day.
      wait: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 6, max: 240 })),
      what: fc.constantFrom('resize' as const, 'resize' as const, 'end-or-restore' as const),
      plan: fc.nat(2),
    }),
    { minLength: 1, maxLength: 25 },
  )
  .map((list) => {
    let hour = 0;
    return list.map(({ wait, what, plan }): Happening => ({ hour: (hour += wait), what, plan }));
  });

const instant = (hour: number): string => new Date(START + hour * HOUR).toISOString();

describe('days in service', () => {
  it('agree with an independent walk through the days: none charged twice, none lost', () => {
    fc.assert(
      fc.property(happenings, (list) => {
        const account = new SampleAccount();
        play(list, account);
        for (const [of, number] of [
          ['2026-03', 3],
          ['2026-04', 4],
          ['2026-05', 5],
        ] as const) {
          const lines = linesOf(account, 'plan', of);
          const model = walked(list, number);
          const dayCount = lines.reduce((sum, line) => sum + line.quantity.days, 0);
          expect(dayCount).toBe(model.days);
          const total = lines.reduce((sum, line) => sum + minorUnits(line.amount), 0n);
          expect(total).toBe(model.total);
          expectNoOverlap(lines);
        }
      }),
      { numRuns: 300 },
    );
  });
});

it('of two lives that began and ended at one instant the first is charged for the day, whatever their ids', () => {
  for (let n = 0; n < 8; n++) {
    const account = new SampleAccount();
    account.starts(instant(0));
    account.ends(instant(0), 'web1', 'Ended-0');
    account.restores(instant(24), 10 * n + 1, 'web1', sampleTerms());
    account.ends(instant(24), 'web1', 'Ended-1');
    account.restores(instant(24), 10 * n + 2, 'web1', larger);
    account.ends(instant(24), 'web1', 'Ended-2');
    // 20.00 by 31 for each of two days.
    expect(linesOf(account, 'plan', '2026-03').map(brief)).toEqual([
      ['VPS 1000', '20', '03-21', '0.65'],
      ['VPS 1000', '21', '03-22', '0.65'],
    ]);
  }
});

it('a container that is restored, deleted and restored at one instant is charged for the day once', () => {
  for (let n = 0; n < 8; n++) {
    const account = new SampleAccount();
    account.starts(instant(0));
    account.ends(instant(0), 'web1', 'Ended-0');
    account.restores(instant(24), 10 * n + 1, 'web1');
    account.ends(instant(24), 'web1', 'Ended-1');
    account.restores(instant(24), 10 * n + 2, 'web1');
    const lines = [3, 4, 5].flatMap((of) => linesOf(account, 'plan', `2026-0${of}`));
    expectNoOverlap(lines);
  }
});

function play(list: readonly Happening[], account: SampleAccount): void {
  account.starts(instant(0));
  let plan = 0;
  let alive = true;
  list.forEach(({ hour, what, plan: next }, n) => {
    if (what === 'resize') {
      if (!alive) return;
      plan = next;
      account.resizes(instant(hour), plans[plan] ?? sampleTerms(), n);
    } else if (alive) {
      account.ends(instant(hour), 'web1', `Ended-${n}`);
      alive = false;
    } else {
      account.restores(instant(hour), n, 'web1', plans[plan]);
      alive = true;
    }
  });
}

/**
 * The same, day by day, knowing nothing of stretches: what plan each day is charged at, by whether it
 * runs when the day ends or ran for a part of the day it was started on; runs of equal days are lines.
 */
function walked(list: readonly Happening[], of: number): { days: number; total: bigint } {
  const length = new Date(Date.UTC(2026, of, 0)).getUTCDate();
  let days = 0;
  let total = 0n;
  let run: { key: string; price: bigint; days: number } | undefined;
  const close = (): void => {
    if (run === undefined) return;
    days += run.days;
    // Half up: twice the price per day, and half a minor unit more.
    total += (2n * run.price * BigInt(run.days) + BigInt(length)) / (2n * BigInt(length));
    run = undefined;
  };
  for (let n = 1; n <= length; n++) {
    const charged = dayAsOf(list, Date.UTC(2026, of - 1, n));
    if (charged === undefined) {
      close();
      continue;
    }
    const key = `${charged.life}-${charged.plan}`;
    if (run !== undefined && run.key !== key) close();
    run ??= { key, price: priceOf[charged.plan] ?? 0n, days: 0 };
    run.days += 1;
  }
  close();
  return { days, total };
}

/** The life and plan a day is charged to, by playing everything up to its end. */
function dayAsOf(
  list: readonly Happening[],
  dayStart: number,
): { life: number; plan: number } | undefined {
  const dayEnd = dayStart + 24 * HOUR;
  const all: (Happening | { hour: number; what: 'start'; plan: 0 })[] = [
    { hour: 0, what: 'start', plan: 0 },
    ...list,
  ];
  let life = 0;
  let plan = 0;
  let alive = false;
  /** The first life that was begun and ended this day: the day is its. */
  let elder: { life: number; plan: number } | undefined;
  let begunToday = false;
  for (const { hour, what, plan: next } of all) {
    const time = START + hour * HOUR;
    if (time >= dayEnd) break;
    const today = time >= dayStart;
    if (what === 'resize') {
      if (alive) plan = next;
    } else if (alive) {
      alive = false;
      if (today && begunToday && elder === undefined) elder = { life, plan };
    } else {
      alive = true;
      life += 1;
      begunToday = today;
    }
  }
  if (elder !== undefined) return elder;
  return alive ? { life, plan } : undefined;
}

function expectNoOverlap(lines: readonly Line[]): void {
  const sorted = lines.map((line) => line.service).sort((a, b) => (a.from < b.from ? -1 : 1));
  sorted.slice(1).forEach((service, i) => {
    expect((sorted[i]?.until ?? '') <= service.from).toBe(true);
  });
}
