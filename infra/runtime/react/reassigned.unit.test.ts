// Partitions come and go, as on a bus between processes: what the checkpoint says of those elsewhere
// stands, and waits outlast it.
import { expect, test } from '@jest/globals';

import { partitionOf } from '../../bus/partition.ts';
import { type Bus, type ConsumerOptions, PARTITIONS } from '../../bus/port.ts';
import { memoryEventStore } from '../../event-store/index.ts';
import { ManualClock } from '../clock.ts';
import { CheckpointMirror } from './mirror.ts';
import { Process, sampleReaction, turn, World, Writer } from './sample-service.ts';

const SICK = 'ten_0';
const WELL = 'ten_1';

async function rig() {
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const store = memoryEventStore({ epoch: 'one' });
  const world = new World();
  const writer = new Writer(store);
  const poison = new Set<string>();
  const reaction = sampleReaction('sample.do', world, (event) => {
    if (poison.has(event.id)) throw new TypeError('a defect');
  });
  let consumer: ConsumerOptions | undefined;
  const bus = (inner: Bus): Bus => ({
    consume: (options) => {
      consumer = options;
      return inner.consume(options);
    },
    close: () => inner.close(),
  });
  const process = await Process.start({ store, clock, reactions: [reaction], bus });
  if (consumer === undefined) throw new Error('nothing is consumed');
  const { from, revoked } = consumer;
  const written = async () => {
    clock.advance(1000);
    for (let i = 0; i < 20; i++) await turn();
    const mirror = new CheckpointMirror({ service: 'sample', store, clock, tenantId: 'platform' });
    return mirror.load();
  };
  const partition = partitionOf(SICK);
  return {
    ...{ world, writer, poison, process, written, partition, kept: consumer.kept },
    take: () => revoked?.(partition),
    giveBack: () => from(partition),
  };
}

test('a home parked on a partition that is taken away stays parked, and is so when it comes back', async () => {
  const { writer, poison, process, written, partition, take, giveBack } = await rig();
  const bad = await writer.append(SICK, 'a');
  poison.add(bad.id);
  await writer.append(WELL, 'a');
  await process.reactions.idle();
  expect((await written())?.parked).toMatchObject([{ homeId: SICK }]);
  take();
  expect(process.reactions.parked()).toEqual([]);
  // Something else moves, and the checkpoint is written without that partition.
  const more = await writer.append(WELL, 'a');
  await process.reactions.whenConsumed(WELL, more.position);
  const elsewhere = await written();
  expect(elsewhere?.marks[partitionOf(WELL)]).toBe(more.position);
  expect(elsewhere?.marks[partition]).not.toBeNull();
  expect(elsewhere?.parked).toMatchObject([{ homeId: SICK, from: bad.position }]);
  await giveBack();
  expect(process.reactions.parked()).toMatchObject([{ homeId: SICK, eventId: bad.id }]);
  await process.stop();
});

test('a wait outlasts the taking away: it ends when what it waits for is consumed after the return', async () => {
  const { writer, process, take, giveBack, world } = await rig();
  const first = await writer.append(SICK, 'a');
  await process.reactions.whenConsumed(SICK, first.position);
  take();
  const second = await writer.append(SICK, 'a');
  let over = false;
  const waiting = process.reactions.whenConsumed(SICK, second.position).then(() => (over = true));
  for (let i = 0; i < 20; i++) await turn();
  expect(over).toBe(false);
  await giveBack();
  const third = await writer.append(SICK, 'a');
  await waiting;
  await process.reactions.idle();
  expect(world.calls).toContain(second.id);
  expect(world.calls).toContain(third.id);
  expect(world.faults).toEqual([]);
  await process.stop();
});

test('a wait for a partition that is elsewhere ends with the signal and with the stop', async () => {
  const { writer, process, take } = await rig();
  const { position } = await writer.append(SICK, 'a');
  await process.reactions.whenConsumed(SICK, position);
  take();
  const signal = new AbortController();
  const given = process.reactions.whenConsumed(SICK, position, signal.signal);
  signal.abort();
  await given;
  const waiting = process.reactions.whenConsumed(SICK, position);
  waiting.catch(() => undefined);
  await process.stop();
  await expect(waiting).rejects.toMatchObject({ code: 'shutting-down' });
});

test('a bus is told what is remembered, which is never ahead of what was written', async () => {
  const { writer, process, written, partition, kept } = await rig();
  const { position } = await writer.append(SICK, 'a');
  await process.reactions.whenConsumed(SICK, position);
  expect(kept?.(partition)).toBeNull();
  await written();
  expect(kept?.(partition)).toBe(position);
  await process.stop();
});

test('nothing is at rest while the bus is on its way to its partitions', async () => {
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const store = memoryEventStore({ epoch: 'one' });
  let arrive: () => void = () => undefined;
  const arriving = new Promise<void>((resolve) => (arrive = resolve));
  const bus = (inner: Bus): Bus => ({
    consume: async (options) => {
      const consumer = await inner.consume(options);
      return {
        ask: (partition, position) => {
          consumer.ask(partition, position);
        },
        stop: (deadline) => consumer.stop(deadline),
        settled: () => arriving,
      };
    },
    close: () => inner.close(),
  });
  const reactions = [sampleReaction('sample.do', new World())];
  const process = await Process.start({ store, clock, reactions, bus });
  let idle = false;
  const resting = process.reactions.idle().then(() => (idle = true));
  for (let i = 0; i < 20; i++) await turn();
  expect(idle).toBe(false);
  arrive();
  await resting;
  await process.stop();
});

test('nothing is at rest where what was waited for was taken away, and the bus is on its way to it again', async () => {
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const store = memoryEventStore({ epoch: 'one' });
  let consumer: ConsumerOptions | undefined;
  let settled = Promise.resolve();
  let asked = 0;
  const bus = (inner: Bus): Bus => ({
    consume: async (options) => {
      consumer = options;
      const consuming = await inner.consume(options);
      return {
        ask: (partition, position) => {
          consuming.ask(partition, position);
        },
        stop: (deadline) => consuming.stop(deadline),
        settled: () => {
          asked += 1;
          return settled;
        },
      };
    },
    close: () => inner.close(),
  });
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const reactions = [sampleReaction('sample.do', new World(), () => gate)];
  const process = await Process.start({ store, clock, reactions, bus });
  await new Writer(store).append(SICK, 'a');
  let idle = false;
  const resting = process.reactions.idle().then(() => (idle = true));
  for (let i = 0; i < 50; i++) await turn();
  const before = asked;
  // All of it is gone, as where a client of the bus has lost its place in the group.
  let arrive: () => void = () => undefined;
  settled = new Promise<void>((resolve) => (arrive = resolve));
  for (let partition = 0; partition < PARTITIONS; partition++) consumer?.revoked?.(partition);
  open();
  for (let i = 0; i < 50; i++) await turn();
  expect([idle, asked - before]).toEqual([false, 1]);
  for (let partition = 0; partition < PARTITIONS; partition++) await consumer?.from(partition);
  arrive();
  await process.stop();
  await resting.catch(() => undefined);
});
