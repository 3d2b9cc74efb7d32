// The embedded bus keeps the contract, at once and in seeded orders, and bounds what it holds.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { sampleEvents } from '../../event-store/contract/samples.ts';
import { memoryEventStore } from '../../event-store/index.ts';
import { ManualClock } from '../../runtime/clock.ts';
import { busContract } from '../contract.ts';
import { Probe } from '../contract/probe.ts';
import { partitionOf } from '../partition.ts';
import { type Mark, PARTITIONS } from '../port.ts';
import { embeddedBus } from './bus.ts';

async function rig(seed?: number) {
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const store = memoryEventStore({ epoch: 'one' });
  const bus = embeddedBus({ store, clock, ...(seed === undefined ? {} : { seed }) });
  return {
    bus,
    store,
    clock,
    second: async () => {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    },
    dispose: async () => {
      await bus.close();
      await store.close();
    },
  };
}

busContract('embedded', () => rig());
busContract('embedded, seed 7', () => rig(7));
busContract('embedded, seed 4711', () => rig(4711));

describe('embedded bus', () => {
  test('an event reaches an idle handler within the same turn of the event loop', async () => {
    const { bus, store, dispose } = await rig();
    const probe = new Probe();
    await probe.consume(bus, 'billing');
    await new Promise((resolve) => setImmediate(resolve));
    let turned = false;
    setImmediate(() => (turned = true));
    await store.append('thing-1', 'no-stream', sampleEvents('a', 1));
    await probe.until(() => probe.all.length === 1);
    expect(turned).toBe(false);
    await dispose();
  });

  test('a held partition neither holds the others nor fills the memory, and misses nothing', async () => {
    const { bus, store, dispose } = await rig();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const held = partitionOf('ten_held');
    const probe = new Probe({
      before: async (partition) => (partition === held ? gate : undefined),
    });
    await probe.consume(bus, 'billing');
    // More than the feed keeps and the group queues, on the held partition and beside it.
    for (let i = 0; i < 30; i++) {
      const revision = i === 0 ? 'no-stream' : BigInt(i * 500 - 1);
      for (const homeid of ['ten_held', 'ten_other']) {
        const events = sampleEvents(`${homeid} ${i}`, 500, { homeid });
        await store.append(`thing-${homeid}`, revision, events);
      }
    }
    await probe.until(() => probe.all.length === 15_000);
    expect(probe.events[held]).toEqual([]);
    release();
    await probe.until(() => probe.all.length === 30_000);
    expect(probe.faults).toEqual([]);
    await store.append('thing-last', 'no-stream', sampleEvents('last', 1, { homeid: 'ten_held' }));
    await probe.until(() => probe.events[held]?.at(-1)?.stream === 'thing-last');
    expect(probe.faults).toEqual([]);
    await dispose();
  });

  test('a group that comes late reads what the shared subscription no longer has', async () => {
    const { bus, store, dispose } = await rig();
    const first = new Probe();
    await first.consume(bus, 'billing');
    for (let i = 0; i < 24; i++) {
      const events = sampleEvents(`e ${i}`, 500, { homeid: `ten_${i}` });
      await store.append(`thing-${i}`, 'no-stream', events);
    }
    await first.until(() => first.all.length === 12_000);
    const second = new Probe();
    await second.consume(bus, 'quotas');
    await second.until(() => second.all.length === 12_000);
    expect(second.faults).toEqual([]);
    await dispose();
  });

  test('whatever the seed, the marks, the pauses and the writers: each partition is whole and in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.integer(),
          homes: fc.integer({ min: 1, max: 12 }),
          before: fc.integer({ min: 0, max: 60 }),
          after: fc.integer({ min: 0, max: 60 }),
          marked: fc.array(fc.nat(60), { maxLength: 12 }),
          pauses: fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }),
          asks: fc.array(fc.nat(PARTITIONS - 1), { maxLength: 8 }),
        }),
        async ({ seed, homes, before, after, marked, pauses, asks }) => {
          const { bus, store, dispose } = await rig(seed);
          const heads = new Map<string, bigint>();
          const write = async (n: number, label: string): Promise<void> => {
            for (let i = 0; i < n; i++) {
              const homeid = `ten_${i % homes}`;
              const stream = i % 7 === 3 ? `checkpoint-${homeid}` : `thing-${homeid}`;
              const expected = heads.get(stream) ?? 'no-stream';
              const [event] = sampleEvents(`${label} ${i}`, 1, { homeid });
              if (event === undefined) continue;
              heads.set(stream, (await store.append(stream, expected, [event])).revision);
            }
          };
          await write(before, 'before');
          const log = (await store.readAll()).events;
          // Marks at any position of the log, not only at events of the partition.
          const marks = new Map<number, Mark>();
          for (const [i, at] of marked.entries()) {
            marks.set(partitionOf(`ten_${i}`), log[at]?.position ?? null);
          }
          let pause = 0;
          const probe = new Probe({
            marks,
            before: async () => {
              for (let n = pauses[pause++ % pauses.length] ?? 0; n > 0; n--)
                await Promise.resolve();
            },
          });
          const consumer = await probe.consume(bus, 'billing');
          await write(after, 'after');
          const { position: head } = await store.head();
          for (const partition of asks) if (head !== null) consumer.ask(partition, head);
          const expected = (await store.readAll()).events.filter((e) => {
            const mark = marks.get(partitionOf(e.homeid)) ?? null;
            return e.stream.startsWith('thing-') && (mark === null || e.position > mark);
          });
          await probe.until(() => probe.all.length >= expected.length);
          // Whoever asked is told, with no second passing, and after all of the partition.
          if (head !== null) {
            for (const partition of asks) await probe.until(() => probe.heard(partition) >= head);
          }
          await new Promise((resolve) => setImmediate(resolve));
          expect(probe.all.map((e) => e.position).sort()).toEqual(expected.map((e) => e.position));
          expect(probe.faults).toEqual([]);
          await dispose();
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  test('a log that ends under it fails every group, with the reason', async () => {
    const { bus, store } = await rig();
    const probes = [new Probe(), new Probe()];
    await probes[0]?.consume(bus, 'billing');
    await probes[1]?.consume(bus, 'quotas');
    await store.close();
    for (const probe of probes) {
      await probe.until(() => probe.failures.length > 0);
      expect(probe.failures).toMatchObject([{ code: 'closed' }]);
    }
    await bus.close();
  });

  test('a second consumer of one group is refused while the first one runs', async () => {
    const { bus, dispose } = await rig();
    const consumer = await new Probe().consume(bus, 'billing');
    await expect(new Probe().consume(bus, 'billing')).rejects.toMatchObject({
      code: 'misconfigured',
    });
    await consumer.stop(1000);
    await (await new Probe().consume(bus, 'billing')).stop(1000);
    await dispose();
  });

  test('where a group cannot say where it begins, consuming is refused and can be tried again', async () => {
    const { bus, dispose } = await rig();
    const lost = new Error('no checkpoint');
    const options = { ...new Probe().options('billing'), from: () => Promise.reject(lost) };
    await expect(bus.consume(options)).rejects.toBe(lost);
    await new Probe().consume(bus, 'billing');
    await dispose();
  });

  test('a closed bus delivers nothing and takes no consumer', async () => {
    const { bus, store } = await rig();
    const probe = new Probe();
    await probe.consume(bus, 'billing');
    await bus.close();
    const { batches } = probe;
    await store.append('thing-1', 'no-stream', sampleEvents('a', 3));
    await new Promise((resolve) => setImmediate(resolve));
    expect(probe.batches).toBe(batches);
    await expect(new Probe().consume(bus, 'quotas')).rejects.toMatchObject({
      code: 'shutting-down',
    });
  });
});
