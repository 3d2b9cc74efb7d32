/** A real process, killed at a failpoint; all of them: `npm run test:faults -- --only sagas`. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { killScenario } from './killed.ts';
import { scenarios } from './kinds.ts';

/** Processes on a machine that does much else, in milliseconds. */
const HANGS = 600_000;

test(
  'a process that kills itself with SIGKILL at a failpoint: the next one ends the order as it would have',
  async () => {
    const [scenario] = scenarios.provision;
    if (scenario === undefined) throw new Error('nothing is provisioned');
    const { seed = 1 } = fc.readConfigureGlobal();
    const { kills, violations } = await killScenario(scenario, seed, 1);
    expect({ seed, kills, violations }).toEqual({ seed, kills: 1, violations: [] });
  },
  HANGS,
);
