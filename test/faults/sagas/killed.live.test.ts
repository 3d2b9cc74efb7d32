/** A real process, killed at a failpoint; all of them: `npm run test:faults -- --only sagas`. */
import { randomInt } from 'node:crypto';

import { expect, test } from '@jest/globals';

import { killScenario } from './killed.ts';
import { scenarios } from './kinds.ts';

/** Processes on a machine that does much else, in milliseconds. */
const HANGS = 600_000;

test(
  'a process that kills itself with SIGKILL at a failpoint: the next one ends the order as it would have',
  async () => {
    const [scenario] = scenarios.provision;
    if (scenario === undefined) throw new Error('nothing is provisioned');
    const seed = randomInt(1_000_000);
    const { kills, violations } = await killScenario(scenario, seed, 1);
    expect({ seed, kills, violations }).toEqual({ seed, kills: 1, violations: [] });
  },
  HANGS,
);
