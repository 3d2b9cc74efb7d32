// The checkpoint of a service: what is written is read back, once, whatever the store answers.
import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';
import { eventRegistry, formatPosition, type StoredEvent } from '@bivouac/events/language';

import { sampleEvent } from '../../event-store/contract/samples.ts';
import { memoryEventStore } from '../../event-store/index.ts';
import { type EventStore, EventStoreError } from '../../event-store/port.ts';
import { ManualClock } from '../clock.ts';
import { checkpointEvents, CheckpointRecorded } from './checkpoint-events.ts';
import {
  CheckpointMirror,
  type MirrorOptions,
  NOTHING,
  type ReactionCheckpoint,
} from './mirror.ts';

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

/**
 * A store whose appends end as the script says: of 'lost' and 'mute' the answer never comes, and what
 * was lost is written.
 */
function scripted(script: ('ok' | 'lost' | 'mute' | 'away')[]) {
  const store = memoryEventStore({ epoch: 'one' });
  const own: EventStore = Object.assign(Object.create(store) as EventStore, {
    append: async (...args: Parameters<EventStore['append']>) => {
      const next = script.shift() ?? 'ok';
      if (next === 'away') throw new EventStoreError('unavailable', 'away');
      if (next === 'mute') throw new EventStoreError('outcome-unknown', 'no answer');
      const result = await store.append(...args);
      if (next === 'lost') throw new EventStoreError('outcome-unknown', 'no answer');
      return result;
    },
    readStream: (...args: Parameters<EventStore['readStream']>) => store.readStream(...args),
  });
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const mirror = (overtaken?: MirrorOptions['overtaken']) =>
    new CheckpointMirror({
      ...{ service: 'sample', store: own, clock, tenantId: 'ten_1' },
      ...(overtaken && { overtaken }),
    });
  const written = async (): Promise<readonly StoredEvent[]> => {
    const page = await store.readStream('checkpoint-sample');
    return page.exists ? page.events : [];
  };
  return { store, clock, mirror, written };
}

test('a checkpoint comes back as it was written', async () => {
  const { mirror } = scripted([]);
  expect(await mirror().load()).toBeUndefined();
  expect(await mirror().save(() => checkpoint)).toBe('written');
  expect(await mirror().load()).toEqual(checkpoint);
});

test('an append whose answer was lost is sent again and stands once', async () => {
  const { mirror, written } = scripted(['lost', 'away']);
  const own = mirror();
  expect(await own.save(() => checkpoint)).toBe('later');
  expect(await own.save(() => checkpoint)).toBe('later');
  expect(await own.save(() => NOTHING)).toBe('written');
  expect(await written()).toHaveLength(2);
  expect(await mirror().load()).toEqual(NOTHING);
});

test('of two instances each writes its own part, and is told what the other has written', async () => {
  const { mirror, written } = scripted([]);
  const marked = (last: ReactionCheckpoint | undefined, partition: number, n: bigint) => ({
    marks: (last ?? NOTHING).marks.map((m, p) => (p === partition ? formatPosition(n) : m)),
    parked: last?.parked ?? [],
  });
  const told: unknown[] = [];
  const one = mirror();
  const two = mirror((known, now) => told.push([known.marks[0], now.marks[0], now.marks[1]]));
  await Promise.all([one.load(), two.load()]);
  expect(await one.save((last) => marked(last, 0, 7n))).toBe('written');
  expect(await two.save((last) => marked(last, 1, 9n))).toBe('written');
  expect(told).toEqual([[null, formatPosition(7n), null]]);
  expect(await written()).toHaveLength(2);
  expect((await one.load())?.marks.slice(0, 2)).toEqual([7n, 9n].map(formatPosition));
});

test('what was sent and never written is given up when another was faster', async () => {
  const { mirror, written } = scripted(['ok', 'mute', 'ok']);
  const [one, two] = [mirror(), mirror()];
  await one.save(() => NOTHING);
  await two.load();
  expect(await two.save(() => checkpoint)).toBe('later');
  const { marks, parked } = checkpoint;
  expect(await one.save((last) => ({ ...(last ?? NOTHING), parked }))).toBe('written');
  expect(await two.save((last) => ({ ...(last ?? NOTHING), marks }))).toBe('written');
  expect(await two.load()).toEqual(checkpoint);
  expect(await written()).toHaveLength(3);
});

test('what there is nothing to say of is not written', async () => {
  const { mirror, written } = scripted([]);
  expect(await mirror().save(() => undefined)).toBe('same');
  expect(await written()).toEqual([]);
});

test('recorded time does not go back when the clock does', async () => {
  const { clock, mirror, written } = scripted([]);
  await mirror().save(() => checkpoint);
  clock.moveTo('2026-04-09T09:00:00.000Z');
  const again = mirror();
  await again.load();
  await again.save(() => checkpoint);
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
