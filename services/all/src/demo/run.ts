/** One run of the demo on a fresh installation in a folder of its own, removed afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createLogger, ManualClock } from '@bivouac/infra/runtime';

import type { InstallationKind } from '../installation.ts';
import { type DemoReport, play, START, type Tell } from './scenario.ts';

/** Milliseconds an orderly end may take. */
const PATIENCE = 10_000;

/** Runs the scenario on an installation of the kind; the folders of its settings are not used. */
export async function runDemo(kind: InstallationKind, tell: Tell): Promise<DemoReport> {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-demo-'));
  const clock = new ManualClock(START);
  let failure: unknown;
  try {
    const installation = await kind.start({
      folder,
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
      await installation.stop(PATIENCE);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
