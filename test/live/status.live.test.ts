/** What the status screen says of a process that does nothing but compute: it takes the fault its time. */
import { afterEach, expect, test } from '@jest/globals';

import { faults } from '../alarms/faults.ts';
import { expectShown } from '../alarms/shown.ts';
import { closeAll } from '../e2e/installation.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await closeAll();
});

test('a process that computes for 0.7 s at a time is shown, with what to do about it', async () => {
  const busy = faults.find(({ alert }) => alert === 'EventLoopDelay');
  expect(busy).toBeDefined();
  if (busy !== undefined) await expectShown(busy, (end) => void ends.push(end));
}, 120_000);
