/** What a month is made of: how many take part, when what happens, and what nodes do wrong. */
import { Draws } from '../../draws.ts';

/** How large a month is. */
export interface MonthSize {
  /** Besides the resellers; every third is a direct customer of the provider. */
  readonly customers: number;
  readonly resellers: number;
  readonly nodes: number;
  /** Of each customer's turns, the part in which it does something. */
  readonly eagerness: number;
  /** The same of those who charge it. */
  readonly care: number;
  /** The same of its people: whether any come or go. */
  readonly change: number;
  /** Days between two turns before the month and in it. */
  readonly pace: { readonly before: number; readonly within: number };
}

/** `npm run demo -- --month`. */
export const fullMonth: MonthSize = {
  ...{ customers: 50, resellers: 3, nodes: 5, eagerness: 0.3, care: 0.12, change: 0.08 },
  pace: { before: 2, within: 1 },
};

/** What `npm test` has the time for. */
export const smallMonth: MonthSize = {
  ...{ customers: 12, resellers: 3, nodes: 3, eagerness: 0.4, care: 0.3, change: 0.2 },
  pace: { before: 4, within: 2 },
};

/** Customers come in March; the month is April. */
export const BEGINS = '2026-03-09T08:00:00.000Z';
export const MONTHS = ['2026-03', '2026-04'] as const;
/** A little after each month is over everywhere. */
export const RUNS = ['2026-04-01T00:10:00.000Z', '2026-05-01T00:10:00.000Z'] as const;

const DAY = 86_400_000;

/** When people act: instants, in their order. */
export function turnsOf({ pace }: MonthSize): number[] {
  const turns: number[] = [];
  const within = Date.parse(RUNS[0]);
  for (let day = Date.parse('2026-03-10T10:00:00.000Z'); day < within; day += pace.before * DAY) {
    turns.push(day);
  }
  const end = Date.parse('2026-04-30T18:00:00.000Z');
  for (let day = Date.parse('2026-04-01T09:30:00.000Z'); day < end; day += pace.within * DAY) {
    turns.push(day);
    // Some days have an afternoon: things that begin and end on one day.
    if (Math.floor(day / DAY) % 3 === 0) turns.push(day + 6 * 3_600_000);
  }
  return turns;
}

/** The nodes as a seed has them: troubled for a while, then again, then sound. */
export function nodeUrlsOf(seed: number, { nodes, customers }: MonthSize): readonly string[] {
  const draws = new Draws(seed, 'nodes');
  const memory = Math.ceil((customers * 2.6) / nodes);
  const room = `fake:?nodes=${nodes}&memory=${memory}GiB&disk=${memory * 8}GiB`;
  const rate = (most: number): string => (draws.unit() * most).toFixed(3);
  const troubled = Array.from({ length: 4 }, (_, boot) => {
    const crashes = boot === 2 ? `&crash-before=${rate(0.01)}&crash-after=${rate(0.01)}` : '';
    return `${room}&seed=${seed * 10 + boot}&fail=${rate(0.06)}&lose=${rate(0.06)}&refuse=${rate(0.04)}${crashes}`;
  });
  return [room, ...troubled, room];
}
