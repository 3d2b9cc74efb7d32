// What a log's checkpoints say when it becomes another log: nothing is behind that has reacted to
// everything, and the new checkpoints leave nothing out and fire nothing twice.
import { formatPosition, type NewEvent, type Position } from '@bivouac/events/language';
import { expect, test } from '@jest/globals';

import { partitionOf } from '../../bus/partition.ts';
import { PARTITIONS } from '../../bus/port.ts';
import { readWholeLog, sampleEvent, sampleEvents } from '../../event-store/contract/samples.ts';
import { memoryEventStore } from '../../event-store/memory.ts';
import type { EventStore } from '../../event-store/port.ts';
import { ManualClock } from '../clock.ts';
import { CarriedCheckpoints } from './carried.ts';
import { CheckpointMirror, type ReactionCheckpoint } from './mirror.ts';

const clock = new ManualClock('2026-04-10T09:00:00.000Z');
const mirrorOf = (store: EventStore, service: string) =>
  new CheckpointMirror({ store, clock, service, tenantId: 'platform' });

async function save(store: EventStore, service: string, checkpoint: ReactionCheckpoint) {
  const mirror = mirrorOf(store, service);
  await mirror.load();
  expect(await mirror.save(() => checkpoint)).toBe('written');
}

const at = (n: number): Position => formatPosition(BigInt(n));
/** All marks at one position. */
const allAt = (mark: Position | null, parked: ReactionCheckpoint['parked'] = []) => ({
  marks: new Array<Position | null>(PARTITIONS).fill(mark),
  parked,
});
const inHome = (name: string, homeid: string): NewEvent => sampleEvent(name, { homeid });

async function noted(store: EventStore): Promise<CarriedCheckpoints> {
  const carried = new CarriedCheckpoints();
  for (const event of await readWholeLog(store)) carried.note(event);
  return carried;
}

/** Two homes with three events, on partitions of their own. */
async function someLog(): Promise<EventStore> {
  expect(partitionOf('home-a')).not.toBe(partitionOf('home-b'));
  const store = memoryEventStore();
  await store.append('a-1', 'no-stream', [inHome('a1', 'home-a'), inHome('a2', 'home-a')]);
  await store.append('b-1', 'no-stream', [inHome('b1', 'home-b')]);
  return store;
}

test('a service is at the head when the last event of each partition is at or below its mark', async () => {
  const store = await someLog();
  const marks = allAt(null).marks.map((_, p) =>
    p === partitionOf('home-a') ? at(2) : p === partitionOf('home-b') ? at(3) : null,
  );
  await save(store, 'billing', { marks, parked: [] });
  // Its own checkpoints, and others', are no events to react to.
  await save(store, 'quotas', allAt(at(3)));
  expect((await noted(store)).behind(['billing', 'quotas'])).toEqual([]);
});

test('one that is behind on a partition is named with where it stands; so is one that never ran', async () => {
  const store = await someLog();
  const marks = allAt(at(3)).marks.map((mark, p) => (p === partitionOf('home-a') ? at(1) : mark));
  await save(store, 'billing', { marks, parked: [] });
  expect((await noted(store)).behind(['billing', 'quotas'])).toEqual([
    { service: 'billing', partitions: 1, at: at(1), upTo: at(2) },
    { service: 'quotas', partitions: 2, at: null, upTo: at(3) },
  ]);
});

test('of an empty log nobody is behind', async () => {
  expect((await noted(memoryEventStore())).behind(['billing'])).toEqual([]);
});

test('the last checkpoint counts, not the one before it', async () => {
  const store = await someLog();
  await save(store, 'billing', allAt(at(1)));
  await save(store, 'billing', allAt(at(3)));
  expect((await noted(store)).behind([])).toEqual([]);
});

test('in the other log all marks are at the head, and parked homes wait at the same event', async () => {
  const store = await someLog();
  const a2 = inHome('a2', 'home-a');
  const parked = [
    {
      ...{ homeId: 'home-a', from: at(2), eventId: a2.id, type: a2.type, reaction: 'bill' },
      ...{ reason: 'handler-failed' as const, since: '2026-04-10T09:00:00.000Z' },
    },
  ];
  await save(store, 'billing', allAt(at(3), parked));
  await save(store, 'quotas', allAt(at(3)));
  const carried = await noted(store);
  expect(carried.behind([])).toEqual([]);

  // The other log: an event of its own first, so that every position is another.
  const other = memoryEventStore();
  await other.append('epoch-log', 'no-stream', sampleEvents('epoch', 1));
  const moved = new Map<Position, Position>();
  for (const { stream, revision, position, ...event } of await readWholeLog(store)) {
    const expected = revision === 0n ? 'no-stream' : revision - 1n;
    moved.set(position, (await other.append(stream, expected, [event])).position);
  }
  const { position: head } = await other.head();
  if (head === null) throw new Error('nothing was copied');
  const options = {
    ...{ epoch: 'new', head, now: '2026-04-11T09:00:00.000Z' },
    moved: (from: Position) => Promise.resolve(moved.get(from) ?? ''),
  };
  const made = await carried.carried(options);
  for (const event of made) await other.append(event.stream, event.revision - 1n, [event]);
  expect(await mirrorOf(other, 'billing').load()).toEqual(
    allAt(
      head,
      parked.map((home) => ({ ...home, from: moved.get(home.from) ?? '' })),
    ),
  );
  expect(await mirrorOf(other, 'quotas').load()).toEqual(allAt(head));

  // Made again after a crash they are the same appends, and known before they are made.
  const again = await carried.carried({ ...options, now: '2026-04-12T09:00:00.000Z' });
  expect(again.map(({ id }) => id)).toEqual(made.map(({ id }) => id));
  expect(new Set(again.map(({ id }) => id))).toEqual(carried.ids('new'));
  for (const event of again) await other.append(event.stream, event.revision - 1n, [event]);
  expect((await readWholeLog(other)).length).toBe((await readWholeLog(store)).length + 1 + 2);
  expect(carried.ids('another')).not.toEqual(carried.ids('new'));
});
