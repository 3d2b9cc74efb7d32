/** `npm run demo`: the main job, as a timeline or (`--json`) as one object. */
import { eventsOf, readConfig } from '@bivouac/infra/runtime';

import { allServices } from '../services.ts';
import { runDemo } from './run.ts';

const json = process.argv.includes('--json');

async function main(): Promise<void> {
  const config = readConfig(undefined, eventsOf(allServices));
  const report = await runDemo(config, (time, text) => {
    if (!json) console.log(`${time.slice(0, 16).replace('T', ' ')}Z  ${text}`);
  });
  if (json) console.log(JSON.stringify(report));
}

main().catch((error: unknown) => {
  console.error(`The demo stopped: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
