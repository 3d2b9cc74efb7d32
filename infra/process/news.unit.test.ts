// What is told as news: each event once, in order; what was lost on the way, and silence, are said.
import { expect, test } from '@jest/globals';
import { formatPosition, type Position, type StoredEvent } from '@bivouac/events/language';
import fc from 'fast-check';

import type { Bus, BusMessage, ConsumerOptions } from '../bus/port.ts';
import { sampleEvent } from '../event-store/contract/samples.ts';
import { ManualClock } from '../runtime/clock.ts';
import { listenForNews } from './news.ts';

const at = (n: number): Position => formatPosition(BigInt(n));

function eventAt(n: number): StoredEvent {
  return {
    ...sampleEvent(`event ${n}`),
    stream: `thing-${n}`,
    revision: 0n,
    position: at(n),
    epoch: 'one',
  };
}

/** A bus of one group, whose messages a test hands in. */
async function rig(after: Position | null) {
  const network = new ManualClock('2026-04-10T09:00:00.000Z');
  const told: Position[] = [];
  const missed: (Position | undefined)[] = [];
  let consuming: ConsumerOptions | undefined;
  let stopped = false;
  const bus: Bus = {
    consume: (options) => {
      consuming = options;
      return Promise.resolve({
        ask: () => undefined,
        stop: () => {
          stopped = true;
          return Promise.resolve();
        },
      });
    },
    close: () => Promise.resolve(),
  };
  const stop = await listenForNews({
    ...{ bus, name: 'test', after, network },
    onEvents: (events) => told.push(...events.map(({ position }) => position)),
    onMissed: (upTo) => missed.push(upTo),
    onFailure: (error) => {
      throw error;
    },
  });
  const options = (): ConsumerOptions => {
    if (consuming === undefined) throw new Error('nobody consumes');
    return consuming;
  };
  return {
    ...{ network, told, missed, stop },
    stopped: () => stopped,
    group: () => options().group,
    from: (partition: number) => options().from(partition),
    deliver: (partition: number, ...messages: BusMessage[]) =>
      options().deliver(partition, messages),
  };
}

const message = (n: number, prev: number | null): BusMessage => ({
  kind: 'event',
  event: eventAt(n),
  prev: prev === null ? null : at(prev),
});

test('events behind the beginning are told, each once, however often they come', async () => {
  const { told, missed, deliver, from } = await rig(at(10));
  expect(await from(3)).toBe(at(10));
  await deliver(3, message(4, null), message(12, 4), message(15, 12));
  await deliver(3, message(12, 4), message(15, 12), message(16, 15));
  expect(told).toEqual([at(12), at(15), at(16)]);
  expect(missed).toEqual([]);
  expect(await from(3)).toBe(at(16));
  expect(await from(4)).toBe(at(10));
});

test('whatever is lost of a partition, it is told or said to be missed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 0, max: 20 }),
      async (kept, begin) => {
        const { told, missed, deliver } = await rig(begin === 0 ? null : at(begin));
        for (const [i, keep] of kept.entries()) {
          if (keep) await deliver(7, message(i + 1, i === 0 ? null : i));
        }
        await deliver(7, { kind: 'marker', prev: at(kept.length), head: at(kept.length) });
        const due = kept.map((_, i) => at(i + 1)).filter((_, i) => i + 1 > begin);
        for (const position of due) {
          const covered = missed.some((upTo) => upTo !== undefined && upTo >= position);
          expect(told.includes(position) || covered).toBe(true);
        }
        expect(told).toEqual([...new Set(told)].sort());
        if (kept.every((keep) => keep)) expect(missed).toEqual([]);
      },
    ),
  );
});

test('a bus that is silent is said to be, again and again, until it is heard', async () => {
  const { network, missed, deliver, stop, stopped } = await rig(null);
  const second = async (): Promise<void> => {
    network.advance(1000);
    await new Promise(setImmediate);
  };
  for (let i = 0; i < 3; i++) await second();
  expect(missed).toEqual([]);
  for (let i = 0; i < 3; i++) await second();
  expect(missed).toEqual([undefined, undefined, undefined]);
  await deliver(0, { kind: 'marker', prev: null, head: null });
  for (let i = 0; i < 3; i++) await second();
  expect(missed).toHaveLength(3);
  await stop();
  expect(stopped()).toBe(true);
  for (let i = 0; i < 9; i++) await second();
  expect(missed).toHaveLength(3);
});
