/**
 * The laws every bus keeps, as one suite; shaped so that a bus between processes can pass it too: at
 * least once, so duplicates are allowed and dropped as consumers drop them.
 */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { StoredEvent } from '@bivouac/events/language';

import { readWholeLog, sampleEvents } from '../event-store/contract/samples.ts';
import type { EventStore } from '../event-store/port.ts';
import { Probe } from './contract/probe.ts';
import { isPublished, partitionOf } from './partition.ts';
import { type Bus, PARTITIONS } from './port.ts';

export interface BusUnderTest {
  readonly bus: Bus;
  /** The log the bus carries: what is appended here is published. */
  readonly store: EventStore;
  /** Lets a second pass, so that markers (and deadlines of a second) are due. */
  second(): Promise<void>;
  dispose(): Promise<void>;
}

/** Runs every law against an adapter; `factory` makes an empty log with a bus for each test. */
export function busContract(name: string, factory: () => Promise<BusUnderTest>): void {
  describe(`bus: ${name}`, () => {
    let under: BusUnderTest;
    beforeEach(async () => {
      under = await factory();
    });
    afterEach(() => under.dispose());

    /** Appends events of several homes, and answers what must arrive. */
    const publish = async (label: string, homes: number, each: number): Promise<StoredEvent[]> => {
      const before = await readWholeLog(under.store);
      for (let n = 0; n < homes; n++) {
        const homeid = `ten_${label}_${n}`;
        const events = sampleEvents(`${label} ${n}`, each, { homeid });
        await under.store.append(`thing-${label}-${n}`, 'no-stream', events);
      }
      return (await readWholeLog(under.store))
        .slice(before.length)
        .filter((e) => isPublished(e.stream));
    };
    const ids = (events: readonly StoredEvent[]): string[] => events.map((e) => e.id).sort();

    test('every event arrives, in log order within its partition, each naming the one before', async () => {
      const early = await publish('early', 40, 5);
      const probe = new Probe();
      await probe.consume(under.bus, 'billing');
      const late = await publish('late', 40, 5);
      await probe.until(() => probe.all.length >= 400);
      expect(ids(probe.all)).toEqual(ids([...early, ...late]));
      for (const events of probe.events) {
        const positions = events.map((e) => e.position);
        expect(positions).toEqual([...positions].sort());
      }
      expect(probe.faults).toEqual([]);
    });

    test('an event arrives as the log holds it', async () => {
      const probe = new Probe();
      await probe.consume(under.bus, 'billing');
      const [event] = await publish('one', 1, 1);
      await probe.until(() => probe.all.length === 1);
      const [arrived] = probe.all;
      expect({ ...arrived, data: Buffer.from(arrived?.data ?? []).toString() }).toEqual({
        ...event,
        data: Buffer.from(event?.data ?? []).toString(),
      });
    });

    test('a consumer begins after its marks, and resumes after those it has reached', async () => {
      const events = await publish('a', 30, 4);
      const first = new Probe();
      const consumer = await first.consume(under.bus, 'billing');
      await first.until(() => first.all.length >= 120);
      await consumer.stop(1000);

      // Each partition goes back by one event: exactly that one comes again.
      const marks = new Map(
        first.events.map((of, partition) => [partition, of.at(-2)?.position ?? null] as const),
      );
      const second = new Probe({ marks });
      await second.consume(under.bus, 'billing');
      const lasts = first.events.flatMap((of) => of.slice(-1));
      await second.until(() => second.all.length >= lasts.length);
      const more = await publish('b', 30, 1);
      await second.until(() => second.all.length >= lasts.length + 30);
      expect(ids(second.all)).toEqual(ids([...lasts, ...more]));
      expect(second.faults).toEqual([]);
      expect(events).toHaveLength(120);
    });

    test('two groups each get everything', async () => {
      const probes = [new Probe(), new Probe()];
      await probes[0]?.consume(under.bus, 'billing');
      const early = await publish('early', 10, 3);
      await probes[1]?.consume(under.bus, 'quotas');
      const late = await publish('late', 10, 3);
      for (const probe of probes) {
        await probe.until(() => probe.all.length >= 60);
        expect(ids(probe.all)).toEqual(ids([...early, ...late]));
        expect(probe.faults).toEqual([]);
      }
    });

    test('checkpoints and the relay are never published, and no message names them', async () => {
      const probe = new Probe();
      await probe.consume(under.bus, 'billing');
      const homeid = 'ten_one';
      await under.store.append('thing-1', 'no-stream', sampleEvents('x', 2, { homeid }));
      await under.store.append('checkpoint-billing', 'no-stream', sampleEvents('c', 2, { homeid }));
      await under.store.append('relay-1', 'no-stream', sampleEvents('r', 2, { homeid }));
      await under.store.append('thing-1', 1n, sampleEvents('y', 2, { homeid }));
      await probe.until(() => probe.all.length >= 4);
      expect(probe.all.map((e) => e.stream)).toEqual(['thing-1', 'thing-1', 'thing-1', 'thing-1']);
      expect(probe.faults).toEqual([]);
    });

    test('every partition gets a marker each second, naming its last event and the head', async () => {
      await publish('a', 20, 2);
      const probe = new Probe();
      await probe.consume(under.bus, 'billing');
      await probe.until(() => probe.all.length >= 40);
      const { position: head } = await under.store.head();
      const told = (partition: number): boolean =>
        probe.markers[partition]?.some((m) => m.head !== null && m.head >= (head ?? '')) === true;
      const everybody = Array.from({ length: PARTITIONS }, (_, p) => p);
      while (!everybody.every(told)) await under.second();
      for (const partition of everybody) {
        const last = probe.events[partition]?.at(-1)?.position ?? null;
        expect(probe.markers[partition]?.at(-1)?.prev ?? null).toBe(last);
      }
      const before = probe.markers.map((of) => of.length);
      const again = (): boolean => probe.markers.every((of, p) => of.length > (before[p] ?? 0));
      while (!again()) await under.second();
      expect(probe.faults).toEqual([]);
    });

    test('a partition that is held does not hold the others', async () => {
      const slow = partitionOf('ten_held_0');
      let release: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      const probe = new Probe({
        before: async (partition) => (partition === slow ? gate : undefined),
      });
      await probe.consume(under.bus, 'billing');
      const events = await publish('held', 50, 3);
      const others = events.filter((e) => partitionOf(e.homeid) !== slow);
      await probe.until(() => probe.all.length >= others.length);
      expect(ids(probe.all)).toEqual(ids(others));
      release();
      await probe.until(() => probe.all.length >= events.length);
      expect(ids(probe.all)).toEqual(ids(events));
      expect(probe.faults).toEqual([]);
    });

    test('stopping waits for the deliveries under way, and nothing comes afterwards', async () => {
      let release: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      let begin: () => void = () => undefined;
      const begun = new Promise<void>((resolve) => (begin = resolve));
      const probe = new Probe({
        before: () => {
          begin();
          return gate;
        },
      });
      const consumer = await probe.consume(under.bus, 'billing');
      await publish('a', 10, 2);
      await begun;
      let stopped = false;
      const stopping = consumer.stop(60_000).then(() => (stopped = true));
      const { batches } = probe;
      await new Promise((resolve) => setImmediate(resolve));
      expect(probe.underWay).toBeGreaterThan(0);
      expect(stopped).toBe(false);
      release();
      await stopping;
      expect(probe.underWay).toBe(0);
      await publish('b', 10, 2);
      await under.second();
      expect(probe.batches).toBe(batches);
      expect(probe.failures).toEqual([]);
    });

    test('stopping does not wait beyond its deadline', async () => {
      const probe = new Probe({ before: () => new Promise(() => undefined) });
      const consumer = await probe.consume(under.bus, 'billing');
      await publish('a', 1, 1);
      const stopping = consumer.stop(1000);
      await under.second();
      await stopping;
      expect(probe.all).toEqual([]);
    });

    test('a delivery that is rejected fails the consumer, once, and stops it', async () => {
      const defect = new Error('the handler is broken');
      const probe = new Probe({
        before: async (_, messages) => {
          if (messages.some((m) => m.kind === 'event')) throw defect;
        },
      });
      await probe.consume(under.bus, 'billing');
      await publish('a', 1, 1);
      await probe.until(() => probe.failures.length > 0);
      const { batches } = probe;
      await publish('b', 20, 2);
      await under.second();
      expect(probe.failures).toEqual([defect]);
      expect(probe.batches).toBe(batches);
    });
  });
}
