import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { FromInstallation } from './messages.ts';
import { SignsOfLife } from './signs-of-life.ts';

const applied: FromInstallation = { type: 'applied', events: 7 };
const sign = (probe = 0): FromInstallation => ({ type: 'probed', probe });

test('who gives two signs of life and says nothing else waits for time; asked for again, again', () => {
  const signs = new SignsOfLife();
  for (const first of [1, 3]) {
    expect(signs.silent()).toBe(first);
    expect(signs.heard(sign(first))).toBe(first + 1);
    expect(signs.heard(sign(first + 1))).toBe('waits');
  }
});

test('a machine that stands still is asked once, and no time passes, however long it is silent', () => {
  const signs = new SignsOfLife();
  expect(signs.silent()).toBe(1);
  for (let n = 0; n < 100; n++) expect(signs.silent()).toBeUndefined();
});

test('what it says in between makes every sign asked for before worthless', () => {
  const signs = new SignsOfLife();
  expect(signs.silent()).toBe(1);
  expect(signs.heard(applied)).toBeUndefined();
  expect(signs.heard(sign(1))).toBeUndefined();
  expect(signs.silent()).toBe(2);
  expect(signs.heard(sign(2))).toBe(3);
  expect(signs.heard(applied)).toBeUndefined();
  expect(signs.silent()).toBe(4);
  expect(signs.heard(sign(3))).toBeUndefined();
  expect(signs.heard(sign(4))).toBe(5);
  expect(signs.heard(sign(5))).toBe('waits');
});

test('time passes only where the last it said are signs that were asked for in silence', () => {
  const step = fc.oneof(fc.constant('silent'), fc.constant('says'), fc.constant('sign'));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const signs = new SignsOfLife();
      /** Signs it will give, in the order it was asked. */
      const owed: number[] = [];
      /** What was asked for before it last said something. */
      let worthless = 0;
      for (const one of steps) {
        if (one === 'silent') {
          const asked = signs.silent();
          if (asked !== undefined) owed.push(asked);
        } else if (one === 'says') {
          signs.heard(applied);
          worthless = Math.max(worthless, ...owed);
        } else {
          const given = owed.shift();
          if (given === undefined) continue;
          const then = signs.heard(sign(given));
          if (typeof then === 'number') owed.push(then);
          // Two in a row after it last spoke.
          if (then === 'waits') expect(given).toBeGreaterThan(worthless + 1);
          if (given <= worthless) expect(then).toBeUndefined();
        }
      }
    }),
  );
});
