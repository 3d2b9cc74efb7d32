/** A month in the life, from an empty folder to its report: played, inspected, moved out, inspected. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ManualClock } from '@bivouac/infra/runtime';

import type { InstallationKind } from '../../installation.ts';
import type { Tell } from '../scenario.ts';
import { packageViolations } from './packages.ts';
import { askedViolations } from './asked.ts';
import { peopleViolations } from './asked-people.ts';
import { inspect, type Inspection } from './inspect.ts';
import { Month } from './play.ts';
import { Running } from './running.ts';
import { BEGINS, type MonthSize } from './settings.ts';

/** What `npm run demo -- --month --json` prints. */
export interface MonthReport {
  /** `--seed` with it plays the same month. */
  readonly seed: number;
  readonly events: number;
  /** Wall time of playing, without inspecting. */
  readonly seconds: number;
  readonly starts: number;
  readonly tenants: number;
  readonly containers: number;
  /** Mutations sent, by name, and those refused at once, by code. */
  readonly sent: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  /** Operations by kind and outcome, e.g. `provision succeeded`. */
  readonly operations: Readonly<Record<string, number>>;
  /** Events by type. */
  readonly counts: Readonly<Record<string, number>>;
  readonly invoices: {
    readonly count: number;
    /** By issuer, e.g. `{ "Reseller 1": "123.45 EUR" }`. */
    readonly totals: Readonly<Record<string, string>>;
    readonly mismatches: readonly string[];
  };
  /** What must be so, and whether it is: at the month's end and after everybody has moved out. */
  readonly invariants: Readonly<Record<string, boolean>>;
  /** What is not so, in sentences. */
  readonly violations: readonly string[];
}

/** Plays a month on a fresh installation in a folder of its own, removed unless it is to be kept. */
export async function runMonth(
  kind: InstallationKind,
  seed: number,
  size: MonthSize,
  tell: Tell,
  keep = false,
): Promise<MonthReport> {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-month-'));
  try {
    const running = new Running(kind, folder, new ManualClock(BEGINS));
    const month = new Month(seed, size, running, tell);
    let seconds = 0;
    const timed = async (work: Promise<void>): Promise<void> => {
      const began = performance.now();
      try {
        await work;
      } finally {
        await running.stop();
      }
      seconds += (performance.now() - began) / 1000;
    };
    await timed(month.live());
    const lived = await inspect(folder, kind.left(folder), false);
    await timed(month.moveOut());
    const left = await inspect(folder, kind.left(folder), true);
    return { seed, seconds, starts: running.starts, ...reported(month, lived, left) };
  } finally {
    if (keep) console.error(`the data are in ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

function reported(
  { tally, world, books, people, packages }: Month,
  lived: Inspection,
  left: Inspection,
): Omit<MonthReport, 'seed' | 'seconds' | 'starts'> {
  const { history, standing, invoices } = left;
  const nameOf = (id: string): string =>
    world.resellers.find((reseller) => reseller.id === id)?.name ?? 'Provider';
  const invariants: Record<string, boolean> = {};
  const violations: string[] = [];
  for (const [when, found] of [
    [
      'at the end of the month',
      {
        ...lived.violations,
        ...askedViolations(books),
        ...peopleViolations(people),
        ...packageViolations(packages, lived.instances),
      },
    ],
    ['after moving out', left.violations],
  ] as const) {
    for (const [what, list] of Object.entries(found)) {
      invariants[what] = (invariants[what] ?? true) && list.length === 0;
      violations.push(...list.map((one) => `${when}: ${what}: ${one}`));
    }
  }
  return {
    events: history.length,
    tenants: world.resellers.length + world.customers.length,
    containers: standing.containers.size,
    sent: sorted(tally.sent),
    refused: sorted(tally.refused),
    operations: sorted(
      counted([...standing.operations.values()].map(({ kind, outcome }) => `${kind} ${outcome}`)),
    ),
    counts: sorted(counted(history.map(({ type }) => type))),
    invoices: {
      count: invoices.compared,
      totals: Object.fromEntries(
        [...invoices.totals].map(([id, sums]) => [nameOf(id), [...sums].map(amount).join(', ')]),
      ),
      mismatches: invoices.mismatches,
    },
    ...{ invariants, violations },
  };
}

function counted(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** All prices of a month are in a currency of two digits. */
function amount([currency, minor]: readonly [string, bigint]): string {
  const digits = minor.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)} ${currency}`;
}
