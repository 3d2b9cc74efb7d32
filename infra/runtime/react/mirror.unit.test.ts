// The checkpoint of a service: what is written is read back, once, whatever the store answers.
import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';
import { eventRegistry, formatPosition, type StoredEvent } from '@bivouac/events/language';

import { sampleEvent } from '../../event-store/contract/samples.ts';
import { memoryEventStore } from '../../event-store/index.ts';
import { type EventStore, EventStoreError } from '../../event-store/port.ts';
import { ManualClock } from '../clock.ts';
import { checkpointEvents, CheckpointRecorded } from './checkpoint-events.ts';
import { CheckpointMirror, type ReactionCheckpoint } from './mirror.ts';

const checkpoint: ReactionCheckpoint = {
  marks: Array.from({ length: 64 }, (_, p) => (p % 3 === 0 ? null : formatPosition(BigInt(p)))),
  parked: [
    {
      homeId: 'ten_1',
      from: formatPosition(18446744073709551615n),
      eventId: sampleEvent('x').id,
      type: 'things.Happened',
      reaction: null,
      reason: 'invalid-body',
      since: '2026-04-10T09:00:00.000Z',
    },
  ],
};

/** A store whose appends end as the script says: 'lost' is written, but the answer never comes. */
function scripted(script: ('ok' | 'lost' | 'away')[]) {
  const store = memoryEventStore({ epoch: 'one' });
  const own: EventStore = Object.assign(Object.create(store) as EventStore, {
    append: async (...args: Parameters<EventStore['append']>) => {
      const next = script.shift() ?? 'ok';
      if (next === 'away') throw new EventStoreError('unavailable', 'away');
      const result = await store.append(...args);
      if (next === 'lost') throw new EventStoreError('outcome-unknown', 'no answer');
      return result;
    },
    readStream: (...args: Parameters<EventStore['readStream']>) => store.readStream(...args),
  });
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const mirror = () =>
    new CheckpointMirror({ service: 'sample', store: own, clock, tenantId: 'ten_1' });
  const written = async (): Promise<readonly StoredEvent[]> => {
    const page = await store.readStream('checkpoint-sample');
    return page.exists ? page.events : [];
  };
  return { store, clock, mirror, written };
}

test('a checkpoint comes back as it was written', async () => {
  const { mirror } = scripted([]);
  expect(await mirror().load()).toBeUndefined();
  expect(await mirror().save(checkpoint)).toBe('written');
  expect(await mirror().load()).toEqual(checkpoint);
});

test('an append whose answer was lost is sent again and stands once', async () => {
  const { mirror, written } = scripted(['lost', 'away']);
  const own = mirror();
  expect(await own.save(checkpoint)).toBe('later');
  expect(await own.save(checkpoint)).toBe('later');
  expect(await own.save({ marks: [], parked: [] })).toBe('written');
  expect(await written()).toHaveLength(2);
  expect(await mirror().load()).toEqual({ marks: new Array(64).fill(null), parked: [] });
});

test('two instances cannot both go on, not even with the same checkpoint', async () => {
  const { mirror } = scripted([]);
  const [one, two] = [mirror(), mirror()];
  await one.load();
  await two.load();
  await one.save(checkpoint);
  await expect(two.save(checkpoint)).rejects.toMatchObject({ code: 'misconfigured' });
});

test('recorded time does not go back when the clock does', async () => {
  const { clock, mirror, written } = scripted([]);
  await mirror().save(checkpoint);
  clock.moveTo('2026-04-09T09:00:00.000Z');
  const again = mirror();
  await again.load();
  await again.save(checkpoint);
  const times = (await written()).map((e) => e.time);
  expect(times).toEqual(['2026-04-10T09:00:00.000Z', '2026-04-10T09:00:00.000Z']);
});

test('a checkpoint that a newer release wrote is not guessed at', async () => {
  const { store, mirror } = scripted([]);
  const { type } = CheckpointRecorded;
  const newer = sampleEvent('newer', { type, schemaver: 2, data: Buffer.from('{}') });
  await store.append('checkpoint-sample', 'no-stream', [newer]);
  await expect(mirror().load()).rejects.toMatchObject({ reason: 'unknown-version' });
});

test('every version of a checkpoint ever written can be read', () => {
  const golden = new URL('./golden/reactions.CheckpointRecorded.v1.json', import.meta.url);
  const registry = eventRegistry(checkpointEvents);
  const body: unknown = JSON.parse(readFileSync(golden, 'utf8'));
  const stored: StoredEvent = {
    ...sampleEvent('golden', { type: CheckpointRecorded.type, schemaver: 1 }),
    data: Buffer.from(JSON.stringify(body)),
    stream: 'checkpoint-sample',
    revision: 0n,
    position: formatPosition(1n),
    epoch: 'one',
  };
  expect(registry.decode(stored)?.data).toEqual(body);
});
