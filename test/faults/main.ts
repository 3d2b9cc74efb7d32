/**
 * `npm run test:faults -- --seeds N`: kills and damages the log, one seeded run after the other, and
 * checks what must hold whatever happened. `--seed S` replays one; `--json` prints one object.
 */
import { parseArgs } from 'node:util';

import { runLogFaults } from './log/index.ts';

interface Violation {
  readonly seed: number;
  readonly what: string;
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    seed: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

/** A whole number of an option, or the process ends with a sentence. */
function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`--${name} takes a whole number, not ${JSON.stringify(text)}`);
  process.exit(2);
}

const first = values.seed === undefined ? 1 : whole('seed', values.seed);
const count = values.seed === undefined ? whole('seeds', values.seeds) : 1;
const violations: Violation[] = [];
let events = 0;
let crashes = 0;
for (let seed = first; seed < first + count; seed++) {
  const report = await runLogFaults(seed);
  events += report.events;
  crashes += report.crashes;
  for (const what of report.violations) {
    violations.push({ seed, what });
    if (!values.json)
      console.log(`seed ${seed}: ${what}  (replay: npm run test:faults -- --seed ${seed})`);
  }
}
if (values.json) console.log(JSON.stringify({ runs: count, violations, events, crashes }));
else
  console.log(
    `${count} runs, ${crashes} crashes, ${events} events, ${violations.length} violations`,
  );
process.exitCode = violations.length === 0 ? 0 : 1;
