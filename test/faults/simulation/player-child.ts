/**
 * Plays simulated runs one after the other in a process of its own, whose randomness and time are the
 * seed's. Argument: an order as JSON. Prints one line of JSON for each run.
 */
import { inspect } from 'node:util';

import { takeOverMachine } from './chance.ts';
import { OrderSchema } from './messages.ts';
import { plantOf } from './plants/index.ts';

takeOverMachine();
// What reads the machine's time or draws when it is loaded gets the seed's already.
const { simulate } = await import('./run.ts');
const { first, count, step, plant, trace } = OrderSchema.parse(JSON.parse(process.argv[2] ?? ''));
const told = (line: string): void => void process.stdout.write(`# ${line}\n`);
let rejected: unknown;
process.on('unhandledRejection', (error) => {
  rejected ??= error;
});
for (let n = 0; n < count; n++) {
  const seed = first + n * step;
  const report = await simulate({ seed, plant: plantOf(plant), ...(trace && { told }) });
  const more = rejected === undefined ? [] : [`nobody has caught ${inspect(rejected).slice(0, 2000)}`];
  rejected = undefined;
  const line = { ...report, trouble: [...report.trouble, ...more] };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
