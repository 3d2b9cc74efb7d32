// What a relay measures of itself is what became of the events: published once, sent again, and how old the first
// is that is not on the bus.
import { instantOf, uuidOf } from '@bivouac/events/values';
import { afterEach, expect, test } from '@jest/globals';

import { memoryEventStore } from '../../event-store/memory.ts';
import { ManualClock } from '../../runtime/clock.ts';
import { processMetrics } from '../../runtime/metrics/index.ts';
import { relayToPretended } from './testing/measured-brokers.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const START = '2026-04-10T09:00:00.000Z';

async function measured() {
  const store = memoryEventStore();
  const clock = new ManualClock(START);
  const network = new ManualClock(START);
  const metrics = processMetrics({ ofNode: false });
  const failures: unknown[] = [];
  const relay = await relayToPretended({
    ...{ store, clock, network, metrics },
    onFailure: (error) => failures.push(error),
  });
  ends.push(relay.stop, () => {
    expect(failures).toEqual([]);
    return Promise.resolve();
  });
  const value = async (name: string): Promise<number> => {
    const lines = (await metrics.scrape()).text.split('\n');
    const line = lines.find((one) => one.startsWith(`bivouac_relay_${name} `));
    return Number(line?.slice(line.lastIndexOf(' ') + 1));
  };
  const until = async (name: string, met: (value: number) => boolean): Promise<void> => {
    while (!met(await value(name))) {
      network.advance(500);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const append = async (stream: string): Promise<void> => {
    const commandkey = uuidOf(stream);
    await store.append(stream, 'no-stream', [
      {
        ...{
          id: uuidOf(stream, '0'),
          type: 'test.Happened',
          schemaver: 1,
          data: Buffer.from('{}'),
        },
        ...{ time: instantOf(clock.now()), tenantid: 't', homeid: stream, actorid: 'a' },
        ...{ commandkey, inputhash: '', correlationid: commandkey, causationid: commandkey },
      },
    ]);
  };
  return { clock, relay, value, until, append };
}

test('each event that the brokers took counts once; then nothing is old', async () => {
  const { clock, value, until, append } = await measured();
  for (const stream of ['one-1', 'one-2', 'one-3']) await append(stream);
  await until('published_total', (count) => count === 3);
  clock.advance(60_000);
  expect(await value('age_seconds')).toBe(0);
  expect(await value('failures_total')).toBe(0);
});

test('while the brokers are away the age is that of the first event that waits; afterwards nothing was lost', async () => {
  const { clock, relay, value, until, append } = await measured();
  await append('one-1');
  await until('published_total', (count) => count === 1);
  relay.setAway(true);
  await append('two-1');
  clock.advance(12_000);
  await append('two-2');
  clock.advance(30_500);
  await until('failures_total', (count) => count >= 3);
  expect(await value('age_seconds')).toBe(42.5);
  expect(await value('published_total')).toBe(1);
  const failures = await value('failures_total');

  relay.setAway(false);
  await until('published_total', (count) => count === 3);
  expect(await value('age_seconds')).toBe(0);
  expect(await value('failures_total')).toBe(failures);
});

test('what is never published is no event that waits', async () => {
  const { clock, relay, value, append } = await measured();
  relay.setAway(true);
  await append('checkpoint-billing');
  clock.advance(60_000);
  expect(await value('age_seconds')).toBe(0);
});
