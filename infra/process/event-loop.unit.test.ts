// The delay of the event loop is what a timer comes later than it was asked for, by a clock that never jumps.
import { expect, test } from '@jest/globals';

import { processMetrics } from '../runtime/index.ts';
import { watchEventLoop } from './event-loop.ts';

test('each look observes once how late it was, and nothing after it was ended', async () => {
  const metrics = processMetrics({ ofNode: false });
  let now = 0;
  let looked: () => void = () => undefined;
  const end = watchEventLoop(metrics, () => {
    looked();
    return now;
  });
  const look = (): Promise<void> =>
    new Promise((resolve) => {
      looked = resolve;
    });
  const counted = async (): Promise<readonly string[]> =>
    (await metrics.scrape()).text
      .split('\n')
      .filter((line) => /^bivouac_eventloop_delay_seconds_(count|sum)/.test(line));
  // 100 ms are asked for: in time, 0.4 s late, and as early as timers of Node sometimes are.
  for (const passes of [100, 500, 99]) {
    now += passes;
    await look();
  }
  // What was looked at last is observed in the same turn.
  await new Promise((resolve) => setImmediate(resolve));
  end();
  now += 10_000;
  expect(await counted()).toEqual([
    'bivouac_eventloop_delay_seconds_sum 0.4',
    'bivouac_eventloop_delay_seconds_count 3',
  ]);
});
