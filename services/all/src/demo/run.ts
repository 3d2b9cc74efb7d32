/** One run of the demo on a fresh installation in a folder of its own, removed afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Config, createLogger, ManualClock, portsOfDataFolder } from '@bivouac/infra/runtime';

import { startEmbedded } from '../embedded.ts';
import { type DemoReport, play, START, type Tell } from './scenario.ts';

/** Runs the scenario on the nodes of the configuration; its folders are not used. */
export async function runDemo(config: Config, tell: Tell): Promise<DemoReport> {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-demo-'));
  const clock = new ManualClock(START);
  let failure: unknown;
  try {
    const installation = await startEmbedded({
      config: {
        ...{ ...config, ...portsOfDataFolder },
        ...{ DATA_DIR: folder, EVENT_STORE_URL: `sqlite:${folder}` },
      },
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
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
