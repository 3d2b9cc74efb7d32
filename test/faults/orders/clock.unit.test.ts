/** The movable clock wakes who is due, nobody else, whichever way it is moved. */
import { expect, test } from '@jest/globals';

import { MovableClock } from './clock.ts';

const HOUR = 3_600_000;

test('moving it on wakes who sleeps until then, and leaves the others asleep', async () => {
  const clock = new MovableClock(0);
  const woken: string[] = [];
  const stop = new AbortController();
  const soon = clock.sleep(HOUR).then(() => woken.push('soon'));
  const late = clock.sleep(3 * HOUR, stop.signal).then(() => woken.push('late'));
  clock.move(2 * HOUR);
  await soon;
  expect(woken).toEqual(['soon']);
  stop.abort();
  await late;
  expect(woken).toEqual(['soon', 'late']);
});

test('it stands as far before the machine as it was moved, also back', () => {
  const clock = new MovableClock(HOUR);
  clock.move(-2 * HOUR);
  const before = Date.now();
  const seen = clock.now();
  expect(seen).toBeGreaterThanOrEqual(before - HOUR);
  expect(seen).toBeLessThanOrEqual(Date.now() - HOUR);
});
