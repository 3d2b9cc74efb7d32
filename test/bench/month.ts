/**
 * A month in the life of fifty customers: its events through the whole system, from GraphQL to
 * invoices, with nodes that fail and seven restarts. The limit is plain SQLite appending as many, each
 * operation's in one transaction.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { embedded, fullMonth, type MonthReport, runMonth } from '@bivouac/all';
import { readConfig } from '@bivouac/infra/runtime';

import { type BenchPart, type Figure, pairsOf, progress, secondsOf } from './figure.ts';
import { benchRows } from './limits/store-rows.ts';
import { BareLog } from './limits/store-sqlite.ts';

/** A month takes about a minute, so few are measured. */
const MONTHS = 3;

/** `month.events`; takes about five minutes. */
export const monthBenchmarks: BenchPart = { names: ['month.events'], run };

async function run(): Promise<Record<string, Figure>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bivouac-bench-'));
  const bare = new BareLog(folder);
  const rows = benchRows('month');
  let seed = 0;
  let last: MonthReport | undefined;
  try {
    const figure = await pairsOf(
      'events/s',
      async () => {
        seed += 1;
        last = await runMonth(embedded(readConfig({})), seed, fullMonth, () => undefined);
        const { events, seconds, violations } = last;
        if (violations.length > 0) throw new Error(`seed ${seed}: ${violations.join('\n')}`);
        progress(`a month of ${events} events in ${seconds.toFixed(1)} s`);
        return events / seconds;
      },
      async () => {
        const { events = 0, operations = {} } = last ?? {};
        const count = Object.values(operations).reduce((sum, n) => sum + n, 0);
        const each = Math.ceil(events / Math.max(count, 1));
        const work = Array.from({ length: Math.ceil(events / each) }, () =>
          Array.from({ length: each }, () => rows.next().value),
        );
        const seconds = await secondsOf(() => {
          for (const operation of work) bare.append(operation);
          return Promise.resolve();
        });
        return (work.length * each) / seconds;
      },
      MONTHS,
    );
    return { 'month.events': figure };
  } finally {
    bare.close();
    await rm(folder, { recursive: true, force: true });
  }
}
