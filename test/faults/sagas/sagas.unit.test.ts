/**
 * Every operation under everything that can go wrong with it, a share of it drawn from a seed; all of it:
 * `npm run test:faults -- --only sagas`.
 */
import { randomInt } from 'node:crypto';

import { afterAll, expect, test } from '@jest/globals';
import { OperationKindSchema } from '@bivouac/events/provisioning';

import { allScenarios, playScenario } from './index.ts';
import { scenarios } from './kinds.ts';
import { Worlds } from './world.ts';

/** Dozens of runs each: what has not ended by then hangs, in milliseconds. */
const HANGS = 600_000;

const seed = randomInt(1_000_000);
const worlds = new Worlds();
afterAll(() => worlds.dispose());

test('every kind of operation is played', () => {
  expect(Object.keys(scenarios).sort()).toEqual([...OperationKindSchema.options].sort());
  for (const list of Object.values(scenarios)) expect(list.length).toBeGreaterThan(0);
});

test.each(allScenarios().map((scenario) => [scenario.name, scenario] as const))(
  '%s: whatever goes wrong, it ends as it should, each step and undo is done, and nothing is left over',
  async (_name, scenario) => {
    const { violations, unseen, done } = await playScenario(worlds, scenario, { seed, each: 1 });
    expect({ seed, violations, unseen }).toEqual({ seed, violations: [], unseen: [] });
    expect(done.length).toBeGreaterThan(0);
  },
  HANGS,
);
