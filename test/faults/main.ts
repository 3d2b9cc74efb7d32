/**
 * `npm run test:faults -- --seeds N`: kills and damages the log, kills whole installations under orders,
 * and has everything go wrong with every operation, one seeded run after the other, and checks what must
 * hold whatever happened. `--seed S` replays one; `--only log`, `--only orders` or `--only sagas` runs one
 * part, the last of them wholly and not a share of it; `--json` prints one object; `--keep` leaves the data
 * of a run that violated something.
 */
import { parseArgs } from 'node:util';

import { runLogFaults } from './log/index.ts';
import { runOrderFaults } from './orders/index.ts';
import { runSagaFaults } from './sagas/index.ts';

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

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

const parts: Readonly<Record<string, (seed: number) => Promise<FaultReport>>> = {
  log: runLogFaults,
  orders: (seed) => runOrderFaults(seed, values.keep),
  sagas: (seed) => runSagaFaults(seed, values.only === 'sagas', tell),
};

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

const chosen = Object.keys(parts).filter((part) => part === (values.only ?? part));
if (chosen.length === 0) {
  misused(`--only takes ${Object.keys(parts).join(' or ')}, not ${JSON.stringify(values.only)}`);
}
const first = values.seed === undefined ? 1 : whole('seed', values.seed);
// A whole play of the sagas leaves little to the seed.
const usual = values.only === 'sagas' ? '1' : '5';
const count = values.seed === undefined ? whole('seeds', values.seeds ?? usual) : 1;
const violations: Violation[] = [];
let events = 0;
let crashes = 0;
for (let seed = first; seed < first + count; seed++) {
  for (const part of chosen) {
    const report = await run(part, seed);
    events += report.events;
    crashes += report.crashes;
    for (const what of report.violations) {
      violations.push({ seed, part, what });
      if (values.json) continue;
      const replay = `npm run test:faults -- --only ${part} --seed ${seed}`;
      console.log(`seed ${seed}: ${what}  (replay: ${replay})`);
    }
  }
}
if (values.json) console.log(JSON.stringify({ runs: count, violations, events, crashes }));
else
  console.log(
    `${count} runs, ${crashes} crashes, ${events} events, ${violations.length} violations`,
  );
process.exitCode = violations.length === 0 ? 0 : 1;

/** What cannot be looked at is a violation too: a log that does not verify, for one. */
async function run(part: string, seed: number): Promise<FaultReport> {
  try {
    return (await parts[part]?.(seed)) ?? { events: 0, crashes: 0, violations: [] };
  } catch (error) {
    return { events: 0, crashes: 0, violations: [`it broke off: ${String(error)}`] };
  }
}
