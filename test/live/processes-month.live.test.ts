/**
 * A month in the life, small, with two of each part as processes: everything that must be so is. Started by
 * `tools/jest.mjs --rolled`, since it reads the newer version that the replicas come to write.
 */
import { afterAll, expect, test } from '@jest/globals';
import { type InstallationKind, processes, runMonth, smallMonth } from '@bivouac/all';

import { removeBuilds } from '../../infra/process/testing/program.ts';
import { bundled } from '../processes/builds.ts';
import { rolling } from '../processes/rolling.ts';
import { busUrl, kafkaIsThere } from './kafka-there.ts';

const SEED = 3;
const TIMEOUT = 3_000_000;
afterAll(removeBuilds);

async function monthOn(kind: InstallationKind): Promise<void> {
  const report = await runMonth(kind, SEED, smallMonth, () => undefined);
  // With the seed, so that what failed can be played again.
  expect({ seed: report.seed, violations: report.violations }).toEqual({
    ...{ seed: SEED, violations: [] },
  });
  expect(new Set(Object.values(report.invariants))).toEqual(new Set([true]));
  expect(report.invoices.mismatches).toEqual([]);
  expect(report.invoices.count).toBeGreaterThan(20);
  expect(report.starts).toBeGreaterThan(6);
}

test(
  'a month on processes leaves everything as it must be, and nothing when everybody has moved out',
  async () => {
    if (!(await kafkaIsThere())) return;
    const kind = processes({ busUrl, replicas: 2, build: bundled() });
    try {
      await monthOn(kind);
    } finally {
      await kind.dispose();
    }
  },
  TIMEOUT,
);

test(
  'and so it does while they are stopped, started and rolled to a newer version of an event',
  async () => {
    if (!(await kafkaIsThere())) return;
    const kind = rolling({ busUrl, replicas: 2 });
    try {
      await monthOn(kind);
      expect(kind.writesNewer).toBe(true);
      expect(kind.rolls).toBeGreaterThan(40);
    } finally {
      await kind.dispose();
    }
  },
  TIMEOUT,
);
