/** `npm run demo`: the main job on a fresh embedded instance, as a timeline or (`--json`) as one object. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createLogger, ManualClock, readConfig } from '@bivouac/infra/runtime';

import { startEmbedded } from '../embedded.ts';
import { type DemoReport, play, START } from './scenario.ts';

/** Runs the demo in a folder of its own, removed afterwards. */
export async function demo(tell: (time: string, text: string) => void): Promise<DemoReport> {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-demo-'));
  const config = { ...readConfig(), DATA_DIR: folder, EVENT_STORE_URL: `sqlite:${folder}` };
  const clock = new ManualClock(START);
  let failure: unknown;
  const installation = await startEmbedded({
    config,
    clock,
    logger: createLogger('error', process.stderr),
    providerName: 'Demo Provider',
    onFailure: (error) => {
      failure = error;
    },
  });
  try {
    return await play(installation, clock, tell);
  } catch (error) {
    throw failure ?? error;
  } finally {
    await installation.stop(config.SHUTDOWN_MS);
    await rm(folder, { recursive: true, force: true });
  }
}

const json = process.argv.includes('--json');
demo((time, text) => {
  if (!json) console.log(`${time.slice(0, 16).replace('T', ' ')}Z  ${text}`);
})
  .then((report) => {
    if (json) console.log(JSON.stringify(report));
  })
  .catch((error: unknown) => {
    console.error(`The demo stopped: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  });
