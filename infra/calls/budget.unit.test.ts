/** However many calls fail, only a part of them is sent again. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { ManualClock } from '../runtime/clock.ts';
import { RetryBudget } from './budget.ts';

test('repeats are at most what was saved up, a fifth of the calls, and five a second', () => {
  const step = fc.oneof(
    fc.constant('call' as const),
    fc.constant('repeat' as const),
    fc.integer({ min: -2_000, max: 2_000 }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const clock = new ManualClock(1_000_000);
      const budget = new RetryBudget(clock);
      let calls = 0;
      let forwards = 0;
      let repeats = 0;
      for (const one of steps) {
        if (one === 'call') {
          calls += 1;
          budget.called();
        } else if (one === 'repeat') repeats += budget.spend() ? 1 : 0;
        else {
          forwards += Math.max(0, one);
          clock.advance(one);
        }
      }
      expect(repeats).toBeLessThanOrEqual(50 + calls * 0.2 + (forwards / 1000) * 5 + 1e-6);
    }),
  );
});

test('in an outage repeats end, and come back with time', () => {
  const clock = new ManualClock(0);
  const budget = new RetryBudget(clock);
  const spent = (): number => {
    let n = 0;
    while (budget.spend()) n += 1;
    return n;
  };
  expect(spent()).toBe(50);
  expect(spent()).toBe(0);
  for (let n = 0; n < 10; n++) budget.called();
  expect(spent()).toBe(2);
  clock.advance(1_000);
  expect(spent()).toBe(5);
  clock.advance(3_600_000);
  expect(spent()).toBe(50);
});
