// What staff order about parked homes is carried out where the home is, whichever instance that is and
// whatever becomes of the one that had it.
import {
  ParkedEventSkipOrdered,
  ParkedHomeReplayOrdered,
  parkingOrderEvents,
} from '@bivouac/events/audit';
import { type Decided, eventRegistry, type StoredEvent } from '@bivouac/events/language';
import { expect, test } from '@jest/globals';

import { partitionOf } from '../../bus/partition.ts';
import { sampleEvent } from '../../event-store/contract/samples.ts';
import { memoryEventStore } from '../../event-store/index.ts';
import { ManualClock } from '../clock.ts';
import { seeToParkedHomes } from './orders.ts';
import { Member } from './sample-group.ts';
import { sampleReaction, turn, World, Writer } from './sample-service.ts';

const SICK = 'ten_0';
const PARTITION = partitionOf(SICK);
const registry = eventRegistry(parkingOrderEvents);

function rig() {
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const store = memoryEventStore({ epoch: 'one' });
  const world = new World();
  const writer = new Writer(store);
  const poison = new Set<string>();
  /** How often an event was tried that cannot be handled. */
  let tries = 0;
  const reaction = sampleReaction('sample.do', world, (event) => {
    if (!poison.has(event.id)) return;
    tries++;
    throw new TypeError('a defect');
  });
  const listeners = new Set<(events: readonly StoredEvent[]) => void>();
  const log = (): void => undefined;
  /** Starts an instance that hears of orders, as its follower would tell it. */
  const start = async (): Promise<Member> => {
    const member = await Member.start({ store, clock, reactions: [reaction] });
    await seeToParkedHomes({
      ...{ reactions: member.process.reactions, service: 'sample', store, registry },
      logger: { info: log, warn: log, error: log },
      onApplied: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    });
    return member;
  };
  let revision = -1n;
  /** Staff order something; everybody is told, unless the news is still on its way. */
  const order = async (event: Decided, tell = true): Promise<void> => {
    const stream = 'parking-sample';
    const sent = sampleEvent(`order ${revision}`, {
      ...{ type: event.type, homeid: stream },
      ...registry.encode(event),
    });
    await store.append(stream, revision < 0n ? 'no-stream' : revision, [sent]);
    revision++;
    const page = await store.readStream(stream, { from: revision });
    if (tell && page.exists) for (const listener of listeners) listener(page.events);
  };
  const seconds = async (n: number): Promise<void> => {
    for (let i = 0; i < n * 4; i++) {
      clock.advance(250);
      for (let t = 0; t < 12; t++) await turn();
    }
  };
  const about = (eventId: string) => ({ service: 'billing', homeId: SICK, eventId }) as const;
  const replay = (eventId: string) => ParkedHomeReplayOrdered(about(eventId));
  const skip = (eventId: string) =>
    ParkedEventSkipOrdered({ ...about(eventId), reason: 'done by hand' });
  return { world, writer, poison, tries: () => tries, start, order, seconds, replay, skip };
}

test('the instance that has the home carries an order out, and the others do not', async () => {
  const { world, writer, poison, tries, start, order, seconds, replay, skip } = rig();
  const [one, two] = [await start(), await start()];
  two.give(PARTITION);
  const bad = await writer.append(SICK, 'a');
  poison.add(bad.id);
  const next = await writer.append(SICK, 'a');
  await seconds(2);
  expect(tries()).toBe(3);
  await order(replay(bad.id));
  await seconds(2);
  expect(tries()).toBe(6);
  expect(two.process.reactions.parked()).toMatchObject([{ homeId: SICK, eventId: bad.id }]);
  await order(skip(bad.id));
  await seconds(2);
  expect(tries()).toBe(6);
  expect(two.process.reactions.parked()).toEqual([]);
  expect(one.process.reactions.parked()).toEqual([]);
  expect(world.calls).toEqual([next.id]);
});

test('an order to try again what stands at another event by now does nothing', async () => {
  const { writer, poison, tries, start, order, seconds, replay } = rig();
  const one = await start();
  one.give(PARTITION);
  const bad = await writer.append(SICK, 'a');
  poison.add(bad.id);
  await seconds(2);
  await order(replay(sampleEvent('another').id));
  await seconds(2);
  expect(tries()).toBe(3);
});

test('an event that is to be left out is left out by whoever has the home next, also after a death', async () => {
  const { world, writer, poison, tries, start, order, seconds, skip } = rig();
  const one = await start();
  one.give(PARTITION);
  const bad = await writer.append(SICK, 'a');
  poison.add(bad.id);
  const next = await writer.append(SICK, 'a');
  await seconds(2);
  // It dies before it hears of the order.
  await one.kill();
  await order(skip(bad.id), false);
  const two = await start();
  two.give(PARTITION);
  await seconds(2);
  expect(two.process.reactions.parked()).toEqual([]);
  expect(tries()).toBe(3);
  expect(world.calls).toEqual([next.id]);
});

test('where the leaving out was not written down before a death, it is done again at once', async () => {
  const { world, writer, poison, tries, start, order, seconds, skip } = rig();
  const one = await start();
  one.give(PARTITION);
  await writer.append(SICK, 'a');
  await seconds(2);
  const bad = await writer.append(SICK, 'a');
  poison.add(bad.id);
  const next = await writer.append(SICK, 'a');
  while (one.process.reactions.parked().length === 0) await seconds(1);
  await order(skip(bad.id));
  for (let t = 0; t < 50; t++) await turn();
  expect(one.process.reactions.parked()).toEqual([]);
  await one.kill();
  // The next begins behind what was written: there the event comes anew, or its home is still parked.
  const two = await start();
  two.give(PARTITION);
  await seconds(3);
  expect(two.process.reactions.parked()).toEqual([]);
  expect(world.calls.filter((id) => id === next.id).length).toBeGreaterThan(0);
  expect(world.calls).not.toContain(bad.id);
  expect(tries()).toBeLessThanOrEqual(6);
});

test('what is ordered while a replay runs has its turn after it', async () => {
  const { world, writer, poison, start, order, seconds, replay, skip } = rig();
  const one = await start();
  one.give(PARTITION);
  const bad = await writer.append(SICK, 'a');
  const worse = await writer.append(SICK, 'a');
  poison.add(bad.id).add(worse.id);
  const next = await writer.append(SICK, 'a');
  await seconds(2);
  // The second event is known to be left out before it is come upon.
  await order(replay(bad.id));
  await order(skip(worse.id));
  await order(skip(bad.id));
  await seconds(3);
  expect(one.process.reactions.parked()).toEqual([]);
  expect(world.calls).toEqual([next.id]);
});
