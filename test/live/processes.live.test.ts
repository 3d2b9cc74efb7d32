/** The demo with every part in a process of its own, one and two of each: as in one process, to the cent. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from '@jest/globals';
import { embedded, processes, runDemo } from '@bivouac/all';
import { createLogger, ManualClock, readConfig } from '@bivouac/infra/runtime';

import { removeBuilds } from '../../infra/process/testing/program.ts';
import { bundled } from '../processes/builds.ts';
import { comparable } from './demo-report.ts';
import { busUrl, kafkaIsThere } from './kafka-there.ts';

const TIMEOUT = 300_000;
afterAll(removeBuilds);

test.each([1, 2])(
  'the demo on %i of each comes to what it comes to in one process',
  async (replicas) => {
    if (!(await kafkaIsThere())) return;
    const kind = processes({ busUrl, replicas, build: bundled() });
    try {
      const report = await runDemo(kind, () => undefined);
      const inOne = await runDemo(embedded(readConfig({})), () => undefined);
      expect(comparable(report)).toEqual(comparable(inOne));
      expect(report).toMatchObject({
        invoice: { total: { amount: '25.07', currency: 'EUR' } },
        leftovers: 0,
      });
      expect(report.events).toBeGreaterThan(50);
    } finally {
      await kind.dispose();
    }
  },
  TIMEOUT,
);

test(
  'a part that dies unasked is told of, and a call that needs it fails',
  async () => {
    if (!(await kafkaIsThere())) return;
    const folder = await mkdtemp(join(tmpdir(), 'bivouac-processes-'));
    const kind = processes({ busUrl, replicas: 1, build: bundled() });
    let failed: (error: unknown) => void = () => undefined;
    const failure = new Promise<unknown>((resolve) => {
      failed = resolve;
    });
    try {
      const installation = await kind.start({
        ...{ folder, clock: new ManualClock('2026-04-10T09:00:00.000Z') },
        ...{ logger: createLogger('silent'), providerName: 'Provider', onFailure: failed },
      });
      process.kill(installation.replicas.pid('quotas', 1), 'SIGKILL');
      expect(String(await failure)).toContain('quotas 1: the process has ended');
      await expect(installation.host.follower.dump('quotas')).rejects.toThrow();
      await installation.stop(10_000).catch(() => undefined);
    } finally {
      await kind.dispose();
      await rm(folder, { recursive: true, force: true });
    }
  },
  TIMEOUT,
);
