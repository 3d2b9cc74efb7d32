/** A process's clock says what it was told, and who pauses is woken by it or, later, by the machine's. */
import { expect, test } from '@jest/globals';

import { ToldClock } from './told-clock.ts';

const HOUR = 3_600_000;

test('it stands still between what it is told, and wakes who sleeps until then', async () => {
  const clock = new ToldClock(1000);
  const woken: string[] = [];
  const slept = clock.sleep(HOUR).then(() => woken.push('slept'));
  const still = clock
    .still()
    .sleep(2 * HOUR)
    .then(() => woken.push('still'));
  expect(clock.now()).toBe(1000);
  clock.tell(1000 + HOUR);
  await slept;
  expect(woken).toEqual(['slept']);
  expect(clock.still().now()).toBe(1000 + HOUR);
  clock.tell(1000 + 2 * HOUR);
  await still;
});

test('a pause ends though nothing is told, and at once where it is given up', async () => {
  const clock = new ToldClock(0);
  await clock.sleep(5);
  expect(clock.now()).toBe(0);
  const over = new AbortController();
  const slept = clock.sleep(HOUR, over.signal);
  over.abort();
  await slept;
  await clock.sleep(HOUR, over.signal);
});
