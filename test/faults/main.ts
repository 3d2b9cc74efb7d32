/**
 * `npm run test:faults -- --seeds N`: plays N simulated runs, in which everything goes wrong at once; has
 * everything go wrong with every operation; and with real processes kills and damages the log, and kills
 * whole installations under orders, for as many seeds but no more than `--processes M`. Each run is seeded;
 * after it, what must hold whatever happened is checked.
 *
 * `--seed S` replays one; `--only log`, `orders`, `sagas` or `simulation` runs one part, the sagas then
 * wholly and not a share of them; `--trace` prints everything that a simulated run does; `--json` prints
 * one object; `--keep` leaves the data of a run that violated something.
 *
 * `--plant NAME` plants a known bug into simulated runs, which then must find it: exit 1, with the law.
 */
import { parseArgs } from 'node:util';

import { runLogFaults } from './log/index.ts';
import { runOrderFaults } from './orders/index.ts';
import { runSagaFaults } from './sagas/index.ts';
import { runSimulations } from './simulation/index.ts';
import { laws } from './simulation/laws.ts';
import type { Report } from './simulation/messages.ts';
import { foundBy } from './simulation/plants/found-by.ts';
import { plantNames } from './simulation/plants/names.ts';

/** What a part of one seed's run showed. */
interface FaultReport {
  readonly events: number;
  readonly crashes: number;
  readonly violations: readonly string[];
}

interface Violation {
  readonly seed: number;
  readonly part: string;
  readonly what: string;
}

/** One promise: in how many runs it was looked at, and in how many it was broken. */
interface Row {
  readonly promise: string;
  runs: number;
  violated: number;
}

const values = parsed();

function parsed() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string', default: '200' },
        processes: { type: 'string', default: '5' },
        seed: { type: 'string' },
        only: { type: 'string' },
        plant: { type: 'string' },
        trace: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    const options =
      '--seeds N, --processes N, --seed S, --only PART, --plant NAME, --trace, --json, --keep';
    return misused(
      `${error instanceof Error ? error.message : String(error)}. It takes ${options}.`,
    );
  }
}

const killed: Readonly<Record<string, (seed: number) => Promise<FaultReport>>> = {
  log: runLogFaults,
  orders: (seed) => runOrderFaults(seed, values.keep),
  sagas: (seed) => runSagaFaults(seed, values.only === 'sagas', tell),
};
const SIMULATION = 'simulation';
const parts = [...Object.keys(killed), SIMULATION];

/** What is said on the way. */
function tell(line: string): void {
  if (!values.json) console.log(line);
}

/** Ends the process with a sentence. */
function misused(why: string): never {
  console.error(why);
  process.exit(2);
}

/** A whole number of an option. */
function whole(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  return misused(`--${name} takes a whole number, not ${JSON.stringify(text)}`);
}

const plant = plantNames.find((name) => name === values.plant) ?? null;
if (values.plant !== undefined && plant === null) {
  misused(`--plant takes ${plantNames.join(', ')}, not ${JSON.stringify(values.plant)}`);
}
const only = plant === null ? values.only : SIMULATION;
const chosen = parts.filter((part) => part === (only ?? part));
if (chosen.length === 0) {
  misused(`--only takes ${parts.join(' or ')}, not ${JSON.stringify(values.only)}`);
}
const first = values.seed === undefined ? 1 : whole('seed', values.seed);
const seeds = values.seed === undefined ? whole('seeds', values.seeds) : 1;
const processes = Math.min(seeds, whole('processes', values.processes));
const violations: Violation[] = [];
const rows = new Map<string, Row>(
  laws.map((promise) => [promise, { promise, runs: 0, violated: 0 }]),
);
let runs = 0;
let orders = 0;
let events = 0;
let crashes = 0;
for (const part of Object.keys(killed)) {
  if (!chosen.includes(part)) continue;
  // A play of the sagas is thousands of runs, or a share of each sort: it leaves little to the seed.
  const last = first + (part === 'sagas' ? 1 : processes);
  for (let seed = first; seed < last; seed++) {
    const report = await run(part, seed);
    runs += 1;
    events += report.events;
    crashes += report.crashes;
    for (const what of report.violations) violated(part, seed, what);
  }
}
if (chosen.includes(SIMULATION)) {
  await runSimulations({
    batches: [
      // Some bugs are shown by few runs: one that is known to show it comes first.
      ...(plant !== null && values.seed === undefined
        ? [{ first: foundBy[plant][0], count: 1, plant }]
        : []),
      { first, count: seeds, plant },
    ],
    ...(values.trace && { traced: (line: string) => console.log(line) }),
    reported: simulated,
  });
}
if (values.json) {
  console.log(
    JSON.stringify({ runs, violations, orders, events, crashes, rows: [...rows.values()] }),
  );
} else {
  const broken = violations.length;
  console.log(
    `${runs} runs, ${crashes} crashes, ${orders} simulated orders, ${events} events, ${broken} violations`,
  );
}
process.exitCode = violations.length === 0 ? 0 : 1;

/** What cannot be looked at is a violation too: a log that does not verify, for one. */
async function run(part: string, seed: number): Promise<FaultReport> {
  try {
    return (await killed[part]?.(seed)) ?? { events: 0, crashes: 0, violations: [] };
  } catch (error) {
    return { events: 0, crashes: 0, violations: [`it broke off: ${String(error)}`] };
  }
}

/** Of a planted bug the first run that shows it is enough. */
function simulated(report: Report): boolean {
  runs += 1;
  orders += report.orders;
  events += report.events;
  crashes += report.crashes;
  for (const what of report.trouble) violated(SIMULATION, report.seed, what);
  for (const [law, whats] of Object.entries(report.violations)) {
    for (const what of whats) violated(SIMULATION, report.seed, `${law}: ${what}`);
  }
  for (const law of laws) {
    const row = rows.get(law);
    if (row === undefined) continue;
    row.runs += 1;
    if (report.violations[law] !== undefined) row.violated += 1;
  }
  if (values.trace) console.log(`seed ${report.seed}: ${report.digest}`);
  return plant === null || violations.length === 0;
}

function violated(part: string, seed: number, what: string): void {
  violations.push({ seed, part, what });
  if (values.json) return;
  const planted = plant === null ? '' : ` --plant ${plant}`;
  const replay = `npm run test:faults -- --only ${part} --seed ${seed}${planted}`;
  console.log(`seed ${seed}: ${what}  (replay: ${replay})`);
}
