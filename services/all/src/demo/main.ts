/** `npm run demo`: the main job, as a timeline or (`--json`) as one object. */
import { readConfig } from '@bivouac/infra/runtime';

import { runDemo } from './run.ts';

const json = process.argv.includes('--json');

async function main(): Promise<void> {
  const report = await runDemo(readConfig(), (time, text) => {
    if (!json) console.log(`${time.slice(0, 16).replace('T', ' ')}Z  ${text}`);
  });
  if (json) console.log(JSON.stringify(report));
}

main().catch((error: unknown) => {
  console.error(`The demo stopped: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
