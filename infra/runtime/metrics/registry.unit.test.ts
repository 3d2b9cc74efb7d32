// What is counted is what is scraped; what cannot be looked up spoils nothing else.
import { expect, test } from '@jest/globals';

import { ManualClock } from '../clock.ts';
import { METRIC_PREFIX, metricList } from './list.ts';
import { processMetrics } from './registry.ts';

async function scraped(metrics: ReturnType<typeof processMetrics>): Promise<string> {
  return (await metrics.scrape()).text;
}

test('every metric of the list is exported, with its help', async () => {
  const text = await scraped(processMetrics());
  for (const [name, { help, kind }] of Object.entries(metricList)) {
    expect(text).toContain(`# HELP ${METRIC_PREFIX}${name} ${help}\n`);
    expect(text).toContain(`# TYPE ${METRIC_PREFIX}${name} ${kind}\n`);
  }
  expect(text).toContain('process_cpu_seconds_total');
});

test('a series is there from when it is asked for; a gauge that nobody sets says nothing', async () => {
  const metrics = processMetrics({ ofNode: false });
  metrics.counter('conflicts_total', { category: 'tree' });
  const text = await scraped(metrics);
  expect(text).toContain('\nbivouac_conflicts_total{category="tree"} 0\n');
  expect(text).not.toMatch(/^bivouac_relay_age_seconds /m);
});

test('a counter adds, and reaches totals without ever falling, whoever holds it', async () => {
  const metrics = processMetrics({ ofNode: false });
  metrics.counter('relay_published_total', {}).add(2);
  metrics.counter('relay_failures_total', {}).reach(5);
  metrics.counter('relay_failures_total', {}).reach(3);
  metrics.counter('relay_failures_total', {}).reach(7);
  const text = await scraped(metrics);
  expect(text).toContain('\nbivouac_relay_published_total 2\n');
  expect(text).toContain('\nbivouac_relay_failures_total 7\n');
});

test('what is replaced is gone', async () => {
  const metrics = processMetrics({ ofNode: false });
  metrics.replace('node_expected', [[{ node: 'a' }, 1]]);
  metrics.replace('node_expected', [[{ node: 'b' }, 1]]);
  const text = await scraped(metrics);
  expect(text).toContain('bivouac_node_expected{node="b"} 1');
  expect(text).not.toContain('node="a"');
});

test('a duration is observed in seconds of the stopwatch', async () => {
  let now = 1000;
  const metrics = processMetrics({ ofNode: false, stopwatch: () => now });
  const took = metrics.histogram('append_seconds', {}).start();
  now += 30;
  took();
  const text = await scraped(metrics);
  expect(text).toContain('bivouac_append_seconds_bucket{le="0.025"} 0\n');
  expect(text).toContain('bivouac_append_seconds_bucket{le="0.05"} 1\n');
  expect(text).toContain('bivouac_append_seconds_sum 0.03\n');
});

test('whoever asks for a series again goes on with it: nothing that was observed is lost', async () => {
  const metrics = processMetrics({ ofNode: false });
  for (const seconds of [0.1, 0.2, 0.3])
    metrics.histogram('call_seconds', { service: 'billing', outcome: 'done' }).observe(seconds);
  const text = await scraped(metrics);
  expect(text).toContain('bivouac_call_seconds_count{service="billing",outcome="done"} 3\n');
});

test('a look that fails is counted and told once, and the others are taken', async () => {
  const told: object[] = [];
  const metrics = processMetrics({
    ofNode: false,
    logger: { warn: (fields) => void told.push(fields) },
  });
  metrics.onScrape('relay', () => Promise.reject(new Error('the store is away')));
  metrics.onScrape('nodes', () => {
    metrics.gauge('frozen_streams', {}).set(3);
  });
  await scraped(metrics);
  const text = await scraped(metrics);
  expect(text).toContain('bivouac_looks_failed_total{look="relay"} 2\n');
  expect(text).toContain('bivouac_looks_failed_total{look="nodes"} 0\n');
  expect(text).toContain('bivouac_frozen_streams 3\n');
  expect(told).toHaveLength(1);
});

test('a look that hangs keeps a scrape for two seconds and is not begun again until it comes back', async () => {
  const network = new ManualClock(0);
  const metrics = processMetrics({ ofNode: false, network });
  let begun = 0;
  let comeBack: () => void = () => undefined;
  metrics.onScrape('relay', () => {
    begun++;
    return new Promise<void>((resolve) => (comeBack = resolve));
  });
  const first = scraped(metrics);
  network.advance(2000);
  expect(await first).toContain('bivouac_looks_failed_total{look="relay"} 1\n');
  expect(await scraped(metrics)).toContain('bivouac_looks_failed_total{look="relay"} 2\n');
  expect(begun).toBe(1);
  comeBack();
  // The hanging look is forgotten in the turn after it came back.
  await new Promise((resolve) => setImmediate(resolve));
  const again = scraped(metrics);
  comeBack();
  expect(await again).toContain('bivouac_looks_failed_total{look="relay"} 2\n');
  expect(begun).toBe(2);
});

test('what is ended is looked at no more', async () => {
  const metrics = processMetrics({ ofNode: false });
  let looks = 0;
  const end = metrics.onScrape('relay', () => void looks++);
  await scraped(metrics);
  end();
  await scraped(metrics);
  expect(looks).toBe(1);
});
