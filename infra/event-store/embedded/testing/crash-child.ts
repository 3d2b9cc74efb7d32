/**
 * A process that appends to a log as fast as it can and prints a line for each acknowledgement, until
 * it is killed. Arguments: the folder and a plan as JSON.
 */
import { writeSync } from 'node:fs';
import { sampleEvents } from '../../contract/samples.ts';
import { EventStoreError } from '../../port.ts';
import { openEmbeddedStore } from '../store.ts';
import type { CrashPlan } from './crash.ts';
import { faultsOf } from './folders.ts';

const [, , folder = '', planText = ''] = process.argv;
const plan = JSON.parse(planText) as CrashPlan;

/** Synchronous, so that what was said is out before anything else happens. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

try {
  const store = await openEmbeddedStore({
    folder,
    onFailure: () => {
      say('failed');
      process.exit(3);
    },
    ...(plan.die === undefined ? {} : { faults: faultsOf({ die: plan.die }) }),
  });
  say('opened');
  await Promise.all(
    Array.from({ length: plan.writers }, async (_, w) => {
      const stream = `crash-${plan.seed}-${w}`;
      const page = await store.readStream(stream, { direction: 'backwards', limit: 1 });
      let expected = page.exists ? page.head : ('no-stream' as const);
      for (let i = 0; i < plan.appends; i++) {
        const size = 1 + ((plan.seed + w + i) % 5);
        const name = `${plan.seed} ${w} ${String(expected)}`;
        const data = Buffer.from(JSON.stringify({ append: name, size }));
        const events = sampleEvents(name, size, { data });
        expected = (await store.append(stream, expected, events)).revision;
        say(`ack ${stream} ${expected} ${size}`);
      }
    }),
  );
  await store.close();
  say('closed');
} catch (error) {
  say(`error ${error instanceof EventStoreError ? error.code : String(error)}`);
  process.exit(2);
}
