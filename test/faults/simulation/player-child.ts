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
const { batches, from, step, trace } = OrderSchema.parse(JSON.parse(process.argv[2] ?? ''));
const told = (line: string): void => void process.stdout.write(`# ${line}\n`);
let rejected: unknown;
process.on('unhandledRejection', (error) => {
  rejected ??= error;
});
let left = from;
for (const { first, count, plant } of batches) {
  for (let n = 0; n < count; n++) {
    if (left-- > 0) continue;
    left = step - 1;
    const played = await simulate({
      seed: first + n,
      plant: plantOf(plant),
      ...(trace && { told }),
    });
    const more =
      rejected === undefined ? [] : [`nobody has caught ${inspect(rejected).slice(0, 2000)}`];
    rejected = undefined;
    const line = { ...played, plant, trouble: [...played.trouble, ...more] };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
