/**
 * Every operation under everything that can go wrong with it, a share of it drawn from a seed; all of it:
 * `npm run test:faults -- --only sagas`.
 */
import { afterAll, expect, test } from '@jest/globals';
import { OperationKindSchema } from '@bivouac/events/provisioning';
import fc from 'fast-check';

import { playScenario } from './index.ts';
import { scenarios } from './kinds.ts';
import { run } from './run.ts';
import type { StepFault } from './sabotage.ts';
import { Worlds } from './world.ts';

/** Dozens of runs each: what has not ended by then hangs, in milliseconds. */
const HANGS = 600_000;

const { seed = 1 } = fc.readConfigureGlobal();
const worlds = new Worlds();
afterAll(() => worlds.dispose());

test('every kind of operation is played', () => {
  expect(Object.keys(scenarios).sort()).toEqual([...OperationKindSchema.options].sort());
  for (const list of Object.values(scenarios)) expect(list.length).toBeGreaterThan(0);
});

test('an owner that says it has given something back and has not is found', async () => {
  const [scenario] = scenarios.provision;
  if (scenario === undefined) throw new Error('nothing is provisioned');
  const ready = await worlds.ready(scenario);
  const refused: StepFault = { step: 'prepare', ill: 'refused', times: 'always' };
  expect((await run(ready, { faults: [refused] })).violations).toEqual([]);
  const undo: StepFault = { step: 'undo-reserve-1', ill: 'pretended', times: 'always' };
  const { violations } = await run(ready, { faults: [refused, undo] });
  expect(violations).toContainEqual(expect.stringContaining('is still held'));
  expect(violations).toContainEqual(expect.stringContaining('after moving out: the reservation'));
});

test('a process that does not come to where it is to die is found', async () => {
  const [scenario] = scenarios.suspend;
  if (scenario === undefined) throw new Error('nothing is suspended');
  const ready = await worlds.ready(scenario);
  const { violations } = await run(ready, { deaths: ['before nothing (1)'] });
  expect(violations).toEqual(['it did not come to before nothing (1)']);
});

test(
  'an order of a container: whatever goes wrong, it ends as it should, each step and undo is done, and nothing is left over',
  async () => {
    const [scenario] = scenarios.provision;
    if (scenario === undefined) throw new Error('nothing is provisioned');
    const { violations, unseen, done } = await playScenario(worlds, scenario, { seed, each: 1 });
    expect({ seed, violations, unseen }).toEqual({ seed, violations: [], unseen: [] });
    expect(done.length).toBeGreaterThan(0);
  },
  HANGS,
);
