/** `npm run seed`: fills a new installation of processes with the demo, and says how to begin. */
import { readFile } from 'node:fs/promises';

import { callerOf } from '@bivouac/infra/process';
import { createLogger, readConfig, systemClock } from '@bivouac/infra/runtime';

import { seedProcesses } from './processes.ts';

async function main(): Promise<void> {
  const config = readConfig();
  const caller = await callerOf(config, createLogger(config.LOG_LEVEL));
  try {
    const { keyFile, tokenFile } = await seedProcesses({
      ...{ caller, folder: config.DATA_DIR, nodeUrl: config.NODE_URL },
      clock: systemClock,
    });
    const key = (await readFile(keyFile, 'utf8')).trim();
    console.log(
      [
        `A working API key, of the provider's staff (also in ${keyFile}):`,
        `  ${key}`,
        `The token for the first start of the node's agent is in ${tokenFile} (AGENT_TOKEN_FILE).`,
      ].join('\n'),
    );
  } finally {
    await caller.close();
  }
}

main().catch((error: unknown) => {
  console.error(`\nSeeding failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
