/** A month in the life, small, with two of each part as processes: everything that must be so is. */
import { afterAll, expect, test } from '@jest/globals';
import { processes, runMonth, smallMonth } from '@bivouac/all';

import { bundled, removeBuilds } from '../processes/builds.ts';
import { busUrl, kafkaIsThere } from './kafka-there.ts';

const SEED = 3;
afterAll(removeBuilds);

test('a month on processes leaves everything as it must be, and nothing when everybody has moved out', async () => {
  if (!(await kafkaIsThere())) return;
  const kind = processes({ busUrl, replicas: 2, build: bundled() });
  try {
    const report = await runMonth(kind, SEED, smallMonth, () => undefined);
    // With the seed, so that what failed can be played again.
    expect({ seed: report.seed, violations: report.violations }).toEqual({
      ...{ seed: SEED, violations: [] },
    });
    expect(new Set(Object.values(report.invariants))).toEqual(new Set([true]));
    expect(report.invoices.mismatches).toEqual([]);
    expect(report.invoices.count).toBeGreaterThan(20);
    expect(report.starts).toBeGreaterThan(6);
  } finally {
    await kind.dispose();
  }
}, 1_500_000);
