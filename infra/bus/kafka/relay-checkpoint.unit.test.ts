// The relay's checkpoint: read back as written, and refused to the second of two relays.
import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';
import { eventRegistry, formatPosition, type StoredEvent } from '@bivouac/events/language';

import { sampleEvent, sampleEvents } from '../../event-store/contract/samples.ts';
import { memoryEventStore } from '../../event-store/memory.ts';
import { type EventStore, EventStoreError } from '../../event-store/port.ts';
import { ManualClock } from '../../runtime/clock.ts';
import { RelayCheckpoint } from './relay-checkpoint.ts';
import { relayEvents, RelayCheckpointRecorded } from './relay-events.ts';

const published = {
  position: formatPosition(18446744073709551615n),
  eventId: sampleEvent('x').id,
  lasts: Array.from({ length: 64 }, (_, p) => (p % 3 === 0 ? null : formatPosition(BigInt(p)))),
};

function checkpointOf(store: EventStore, topic = 'one'): RelayCheckpoint {
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  return new RelayCheckpoint({ clusterId: 'cluster', topic, store, clock, tenantId: 'provider' });
}

test('what was written is read back, by topic', async () => {
  const store = memoryEventStore();
  const checkpoint = checkpointOf(store);
  expect(await checkpoint.load()).toBeUndefined();
  await checkpoint.save(published);
  await checkpoint.save(published);
  expect(await checkpointOf(store).load()).toEqual(published);
  // A log copied into a new epoch begins a topic from its start, and goes on in the same stream.
  const other = checkpointOf(store, 'two');
  expect(await other.load()).toBeUndefined();
  await other.save(published);
  expect(await checkpointOf(store, 'two').load()).toEqual(published);
});

test('of two relays the second to write is told, and has changed nothing', async () => {
  const store = memoryEventStore();
  const [first, second] = [checkpointOf(store), checkpointOf(store)];
  await first.load();
  await second.load();
  await first.save(published);
  await expect(second.save({ ...published, position: formatPosition(1n) })).rejects.toMatchObject({
    code: 'misconfigured',
    message: expect.stringContaining('another relay'),
  });
  await first.save(published);
  expect(await checkpointOf(store).load()).toEqual(published);
});

test.each(['unavailable', 'outcome-unknown'] as const)(
  'a store that is %s is asked again later, and the stream stays whole',
  async (code) => {
    const store = memoryEventStore();
    const script = [code];
    const own: EventStore = Object.assign(Object.create(store) as EventStore, {
      append: async (...args: Parameters<EventStore['append']>) => {
        const next = script.shift();
        if (next === 'unavailable') throw new EventStoreError(next, 'away');
        const result = await store.append(...args);
        if (next === 'outcome-unknown') throw new EventStoreError(next, 'no answer');
        return result;
      },
      readStream: (...args: Parameters<EventStore['readStream']>) => store.readStream(...args),
    });
    const checkpoint = checkpointOf(own);
    await checkpoint.load();
    expect(await checkpoint.save(published)).toBe('later');
    expect(await checkpoint.save(published)).toBe('written');
    expect(await checkpointOf(store).load()).toEqual(published);
  },
);

test('a checkpoint of a newer release stops the relay instead of being skipped', async () => {
  const store = memoryEventStore();
  const { type } = RelayCheckpointRecorded;
  const [newer] = sampleEvents('n', 1, { type, schemaver: 2, data: Buffer.from('{}') });
  await store.append('relay-cluster', 'no-stream', newer === undefined ? [] : [newer]);
  await expect(checkpointOf(store).load()).rejects.toMatchObject({ reason: 'unknown-version' });
});

test('every version of a checkpoint ever written can be read', () => {
  const golden = new URL('./golden/bus.RelayCheckpointRecorded.v1.json', import.meta.url);
  const body: unknown = JSON.parse(readFileSync(golden, 'utf8'));
  const stored: StoredEvent = {
    ...sampleEvent('golden', { type: RelayCheckpointRecorded.type, schemaver: 1 }),
    data: Buffer.from(JSON.stringify(body)),
    stream: 'relay-cluster',
    revision: 0n,
    position: formatPosition(1n),
    epoch: 'one',
  };
  expect(eventRegistry(relayEvents).decode(stored)?.data).toEqual(body);
});
