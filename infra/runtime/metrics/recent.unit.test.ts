// What is told of the last minutes is what was counted in them: nothing older, nothing left out.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { RECENT_DELAYS, Recent } from './recent.ts';
import { processMetrics } from './registry.ts';
import { thresholds } from './thresholds.ts';

const SLOT = 15_000;

function told(recent: Recent): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...recent.series()].map(([{ counter, series }, value]) => [`${counter} ${series}`, value]),
  );
}

test('a rise is told for the whole window and is gone a slot after it, however the counting comes', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          wait: fc.nat(200_000),
          by: fc.integer({ min: 1, max: 9 }),
          look: fc.boolean(),
        }),
        { minLength: 1, maxLength: 60 },
      ),
      (steps) => {
        let now = 123_456;
        const recent = new Recent(() => now);
        const count = recent.counter('gaps_repaired_total', 'billing');
        const counted: { at: number; by: number }[] = [];
        const window = thresholds.BusGaps.within * 1000;
        for (const { wait, by, look } of steps) {
          now += wait;
          count?.(by);
          counted.push({ at: now, by });
          if (!look) continue;
          const sumSince = (start: number): number =>
            counted.filter(({ at }) => at > start).reduce((sum, one) => sum + one.by, 0);
          const value = told(recent)['gaps_repaired_total billing'];
          expect(value).toBeGreaterThanOrEqual(sumSince(now - window));
          expect(value).toBeLessThanOrEqual(sumSince(now - window - SLOT));
        }
      },
    ),
  );
});

test('delays are told by how many were measured and how many were beyond the limit', () => {
  const recent = new Recent(() => 0);
  const delays = recent.delays('eventloop_delay_seconds');
  for (const seconds of [0, thresholds.EventLoopDelay.most, thresholds.EventLoopDelay.most + 0.001])
    delays?.(seconds);
  expect(told(recent)).toEqual({
    [`eventloop_delay_seconds ${RECENT_DELAYS.all}`]: 3,
    [`eventloop_delay_seconds ${RECENT_DELAYS.beyond}`]: 1,
  });
  expect(recent.delays('append_seconds')).toBeUndefined();
  expect(recent.counter('commits_total', 'billing')).toBeUndefined();
});

test('a scrape tells it beside the counter itself, which never falls', async () => {
  let now = 0;
  const metrics = processMetrics({ ofNode: false, stopwatch: () => now });
  metrics.counter('contention_total', { category: 'tree' }).add(2);
  metrics.counter('cache_outages_total', {}).reach(3);
  const first = (await metrics.scrape()).text;
  expect(first).toContain('bivouac_recent{counter="contention_total",series="tree"} 2\n');
  expect(first).toContain('bivouac_recent{counter="cache_outages_total",series=""} 3\n');
  now += thresholds.Contention.within * 1000 + SLOT;
  const later = (await metrics.scrape()).text;
  expect(later).toContain('bivouac_recent{counter="contention_total",series="tree"} 0\n');
  expect(later).toContain('bivouac_contention_total{category="tree"} 2\n');
});
