// A cache that is away is counted once, and once more for each minute that it stays away; nobody is refused for it.
import { createServer } from 'node:net';

import { openCacheEngine } from '@bivouac/infra/cache';
import { createLogger, ManualClock, processMetrics } from '@bivouac/infra/runtime';
import { expect, test } from '@jest/globals';

import { cacheOf } from './settings.ts';

/** A port at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('outages are counted by the minute, and buckets go on in this process', async () => {
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const metrics = processMetrics({ ofNode: false });
  const url = `redis://127.0.0.1:${await closedPort()}`;
  const engine = await openCacheEngine({ url, installation: 'one', clock });
  const logger = createLogger('silent', process.stderr);
  const cache = cacheOf(engine, { clock, logger, metrics });
  const outages = async (): Promise<string | undefined> =>
    (await metrics.scrape()).text.match(/^bivouac_cache_outages_total (\d+)$/m)?.[1];
  const take = async (): Promise<boolean> => {
    const { taken } = await cache.take('b', 1, { capacity: 3, refillPerSecond: 0 });
    return taken;
  };
  try {
    const before = Number(await outages());
    expect(before).toBeLessThanOrEqual(1);
    expect([await take(), await take()]).toEqual([true, true]);
    expect(await outages()).toBe('1');
    clock.advance(59_999);
    expect(await take()).toBe(true);
    expect(await outages()).toBe('1');
    clock.advance(1);
    expect(await take()).toBe(false);
    expect(await outages()).toBe('2');
  } finally {
    await engine.close();
  }
});
