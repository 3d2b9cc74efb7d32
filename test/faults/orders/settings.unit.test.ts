/** A seed says all: the same world, troubles and crash points each time, and others for another. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { Draws } from '@bivouac/all/draws';
import { settingsOf } from './settings.ts';

const seeds = fc.integer({ min: 0, max: 1_000_000 });

test('the same seed gives the same run, another one another', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      expect(settingsOf(seed)).toEqual(settingsOf(seed));
      expect(settingsOf(seed)).not.toEqual({ ...settingsOf(seed + 1), seed });
    }),
  );
});

test('every run crashes several times, in a world too small for everybody', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { boots, customers, ranges } = settingsOf(seed);
      expect(boots.length).toBeGreaterThanOrEqual(4);
      expect(customers.length).toBeGreaterThanOrEqual(2);
      expect(ranges.length).toBeGreaterThanOrEqual(1);
    }),
  );
});

test('what one part draws does not depend on what another has drawn', () => {
  const [one, other] = [new Draws(7, 'load'), new Draws(7, 'load')];
  new Draws(7, 'time').between(1, 100);
  expect(Array.from({ length: 50 }, () => one.unit())).toEqual(
    Array.from({ length: 50 }, () => other.unit()),
  );
  expect(new Draws(7, 'time').unit()).not.toBe(new Draws(7, 'load').unit());
});

test('draws lie where they should, each possible value among them', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const draws = new Draws(seed, 'any');
      const drawn = Array.from({ length: 200 }, () => draws.between(1, 4));
      expect(new Set(drawn)).toEqual(new Set([1, 2, 3, 4]));
      expect(draws.weighted({ never: 0, always: 1 })).toBe('always');
      expect(draws.pick([])).toBeUndefined();
      expect(draws.chance(0)).toBe(false);
      expect(draws.chance(1)).toBe(true);
    }),
    { numRuns: 30 },
  );
});
