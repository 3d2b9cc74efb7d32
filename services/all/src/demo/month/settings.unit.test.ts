/** What a seed stands for: the same month each time, in order, on nodes that can be opened. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { configuredNodes } from '../../nodes.ts';
import { fullMonth, nodeUrlsOf, RUNS, smallMonth, turnsOf } from './settings.ts';

test('turns come in order, before the month and throughout it, some twice a day', () => {
  for (const size of [fullMonth, smallMonth]) {
    const turns = turnsOf(size);
    expect(turns.toSorted((a, b) => a - b)).toEqual(turns);
    const [begins, ends] = RUNS.map((run) => Date.parse(run));
    const before = turns.filter((turn) => turn < (begins ?? 0));
    expect(before.length).toBeGreaterThan(3);
    expect(turns.length - before.length).toBeGreaterThan(15);
    expect(turns.at(-1)).toBeLessThan(ends ?? 0);
    const days = turns.map((turn) => new Date(turn).toISOString().slice(0, 10));
    expect(new Set(days).size).toBeLessThan(days.length);
  }
});

test('a seed always has the same nodes: so many, sound at first and at last, troubled between', () => {
  fc.assert(
    fc.property(fc.nat({ max: 99_999_999 }), (seed) => {
      for (const size of [fullMonth, smallMonth]) {
        const urls = nodeUrlsOf(seed, size);
        expect(nodeUrlsOf(seed, size)).toEqual(urls);
        for (const url of urls) expect(configuredNodes(url)).toHaveLength(size.nodes);
        expect(urls[0]).toBe(urls.at(-1));
        expect(urls.slice(1, -1).every((url) => url.includes('&fail='))).toBe(true);
      }
    }),
  );
});
