// A service of another process has its chance by what it wrote down, and is not waited for without end.
import { expect, test } from '@jest/globals';
import type { Position } from '@bivouac/events/language';

import { partitionOf } from '../../bus/partition.ts';
import { PARTITIONS } from '../../bus/port.ts';
import { sampleEvent } from '../../event-store/contract/samples.ts';
import { memoryEventStore } from '../../event-store/index.ts';
import { ManualClock } from '../clock.ts';
import { whenHadChance } from './chance.ts';
import { passedElsewhere } from './elsewhere.ts';
import { CheckpointMirror } from './mirror.ts';
import { Writer } from './sample-service.ts';

function rig() {
  const store = memoryEventStore({ epoch: 'one' });
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const mirror = new CheckpointMirror({ service: 'owner', store, clock, tenantId: 'ten_1' });
  /** The owner says that it has done everything of a home's partition up to there. */
  const says = (home: string, mark: Position | null, parkedFrom?: Position) =>
    mirror.save(() => ({
      marks: Array.from({ length: PARTITIONS }, (_, p) => (p === partitionOf(home) ? mark : null)),
      parked:
        parkedFrom === undefined
          ? []
          : [
              {
                ...{ homeId: home, from: parkedFrom, eventId: sampleEvent('x').id },
                ...{ type: 'things.Happened', reaction: null, reason: 'invalid-body' as const },
                since: '2026-04-10T09:00:00.000Z',
              },
            ],
    }));
  const passed = (home: string, upTo: Position) =>
    passedElsewhere({ store, clock }, 'owner', home, upTo);
  return { store, clock, writer: new Writer(store), says, passed };
}

test('it has passed a position that its checkpoint reaches, or behind which the home has nothing', async () => {
  const { writer, says, passed } = rig();
  const first = await writer.append('ten_1', 'a');
  const second = await writer.append('ten_1', 'a');
  const other = await writer.append('ten_2', 'a');
  expect(await passed('ten_1', second.position)).toBe(true);
  await says('ten_1', null);
  expect(await passed('ten_1', first.position)).toBe(false);
  await says('ten_1', first.position);
  expect(await passed('ten_1', first.position)).toBe(true);
  expect(await passed('ten_1', second.position)).toBe(false);
  await says('ten_1', second.position);
  expect(await passed('ten_1', other.position)).toBe(true);
});

test('a home that is parked there is not waited for', async () => {
  const { writer, says, passed } = rig();
  const { position } = await writer.append('ten_1', 'a');
  await says('ten_1', null, position);
  expect(await passed('ten_1', position)).toBe(true);
});

test('one that does not get on is waited for, but not without end', async () => {
  const { store, clock, writer, says } = rig();
  const { position } = await writer.append('ten_1', 'a');
  await says('ten_1', null);
  const options = { reactions: new Map(), store, clock };
  let over = false;
  const waiting = whenHadChance(options, 'owner', 'ten_1', position).then(() => (over = true));
  for (let second = 0; second < 60; second++) {
    clock.advance(1000);
    await new Promise(setImmediate);
  }
  expect(over).toBe(false);
  clock.advance(300_000);
  await waiting;

  const again = whenHadChance(options, 'owner', 'ten_1', position);
  await says('ten_1', position);
  for (let second = 0; second < 3; second++) {
    clock.advance(1000);
    await new Promise(setImmediate);
  }
  await again;
});
