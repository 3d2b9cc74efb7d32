/**
 * `npm run demo`: the main job, as a timeline or (`--json`) as one object; `-- --month` a month in the
 * life of many, seeded (`--seed N`), small (`--small`), its data kept (`--keep`). With `--processes`
 * each part is a process of its own, with `--replicas N` of each.
 */
import { parseArgs } from 'node:util';

import { eventsOf, readConfig } from '@bivouac/infra/runtime';

import { embedded } from '../embedded.ts';
import type { InstallationKind } from '../installation.ts';
import { processes } from '../processes/kind.ts';
import { allServices } from '../services.ts';
import { type MonthReport, runMonth } from './month/run.ts';
import { fullMonth, smallMonth } from './month/settings.ts';
import { runDemo } from './run.ts';

const asked = parsed();

function parsed() {
  try {
    return parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        month: { type: 'boolean', default: false },
        small: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        seed: { type: 'string' },
        processes: { type: 'boolean', default: false },
        replicas: { type: 'string', default: '1' },
      },
    }).values;
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}. The demo takes --json, --month, --small, --keep, ` +
        '--seed N, --processes and --replicas N.',
    );
    process.exit(2);
  }
}

function tell(time: string, text: string): void {
  if (!asked.json) console.log(`${time.slice(0, 16).replace('T', ' ')}Z  ${text}`);
}

async function main(): Promise<void> {
  const config = readConfig(undefined, eventsOf(allServices));
  if (!asked.processes) return play(embedded(config));
  const replicas = Number(asked.replicas);
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > 9)
    throw new Error(`--replicas ${asked.replicas} is no whole number from 1 to 9.`);
  if (!config.BUS_URL.startsWith('kafka:'))
    throw new Error(
      'Processes of their own share Kafka: set BUS_URL to kafka://host:port (infra/dev/up kafka starts one).',
    );
  const { BUS_URL: busUrl, NODE_URL } = config;
  const kind = processes({ busUrl, replicas, settings: { NODE_URL } });
  try {
    await play(kind);
  } finally {
    await kind.dispose();
  }
}

async function play(kind: InstallationKind): Promise<void> {
  if (!asked.month) {
    const report = await runDemo(kind, tell);
    if (asked.json) console.log(JSON.stringify(report));
    return;
  }
  const seed = asked.seed === undefined ? Date.now() % 1_000_000 : Number(asked.seed);
  if (!Number.isSafeInteger(seed) || seed < 0 || seed > 99_999_999) {
    throw new Error(`--seed ${asked.seed ?? ''} is no whole number up to 99999999.`);
  }
  if (!asked.json) console.log(`seed ${seed}`);
  const size = asked.small ? smallMonth : fullMonth;
  const report = await runMonth(kind, seed, size, tell, asked.keep);
  if (asked.json) console.log(JSON.stringify(report));
  else console.log(monthText(report));
  if (report.violations.length > 0) process.exitCode = 1;
}

function monthText(report: MonthReport): string {
  const { events, seconds, starts, tenants, containers, operations, invoices } = report;
  return [
    `${tenants} tenants, ${containers} containers, ${events} events in ${seconds.toFixed(1)} s, ${starts} starts`,
    ...Object.entries(operations).map(([what, n]) => `  ${String(n).padStart(5)}  ${what}`),
    `${invoices.count} invoices, ${invoices.mismatches.length} of them otherwise than recomputed`,
    ...Object.entries(invoices.totals).map(([issuer, sum]) => `  ${issuer}: ${sum}`),
    ...Object.entries(report.invariants).map(
      ([what, holds]) => `  ${holds ? 'yes' : 'NO '}  ${what}`,
    ),
    ...report.violations,
  ].join('\n');
}

main().catch((error: unknown) => {
  console.error(`The demo stopped: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
