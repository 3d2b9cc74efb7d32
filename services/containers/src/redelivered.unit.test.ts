/**
 * An ask comes again when the process died before it could answer. Whatever has changed meanwhile, a
 * refusal says that nothing is held, and `done` that everything is.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { LeasedAddress } from '@bivouac/events/operations';
import { type EventStore, EventStoreError } from '@bivouac/infra/event-store';
import { instantOf } from '@bivouac/events/values';

import { ContainerById, Leftovers, NodeById, WithdrawImage } from './api/index.ts';
import { id, plan } from './given.ts';
import { SampleWorld } from './sample-world.ts';

let world: SampleWorld;
afterEach(async () => {
  await world.stop();
});

/** Called before an append; `answers`: how often the answer was to be appended before. */
type Before = (stream: string, answers: number) => Promise<'lost' | undefined>;

/** A world whose appends are watched: an answer may be lost, as if the process had died before it. */
async function watched(before: Before): Promise<void> {
  let answers = 0;
  const wrap = (store: EventStore): EventStore => ({
    readStream: (...args) => store.readStream(...args),
    readAll: (...args) => store.readAll(...args),
    readHome: (...args) => store.readHome(...args),
    subscribe: (...args) => store.subscribe(...args),
    head: () => store.head(),
    close: () => store.close(),
    append: async (stream, expected, events) => {
      const answering = stream.startsWith('answer-');
      const became = await before(stream, answers);
      if (answering) answers += 1;
      if (answering && became === 'lost') {
        throw new EventStoreError('unavailable', 'the answer was lost');
      }
      return store.append(stream, expected, events);
    },
  });
  world = await new SampleWorld({ wrap }).start();
}

const vector = {
  ...{ containers: 1, cpuMillis: 1000, memoryBytes: '1024', diskBytes: '4096', addresses: 1 },
};
const preparing = (imageId: string) => ({
  ...{ placementId: id('placement', 'web'), containerId: id('container', 'web'), vector },
  ...{ tenantId: id('tenant', 'a'), hostname: 'web.example.com', plan: plan(), imageId },
  ...{ leaseIds: [id('lease', 'web')], family: 'ipv4' as const },
});
const nothing = { placements: 0, leases: 0, rosterEntries: 0 };

describe('an order that comes again', () => {
  test('whose account was held at first, and is not any more, has no place that it gave back', async () => {
    await watched(async (stream, answers) => {
      // The roster has to hear of it before the ask comes again.
      if (!stream.startsWith('answer-') || answers > 20) return undefined;
      if (answers === 0) await world.recordHold('h', ['a'], true);
      return (await world.all('RosterHoldLifted')).length === 0 || answers === 0
        ? 'lost'
        : undefined;
    });
    const imageId = await world.image();
    await world.node('node1');
    await world.range('192.0.2.0/30');
    await world.tenantHold('h', ['a']);
    const answer = await world.answer('containers.prepare', preparing(imageId));
    expect(await world.all('NodeCapacityFreed')).toHaveLength(1);
    expect(await world.all('RosterHoldLifted')).toHaveLength(1);
    expect(answer).toMatchObject({ outcome: 'refused', refusal: { code: 'PLACEMENT_VOIDED' } });
    expect(await world.query(Leftovers, {})).toMatchObject(nothing);
  });

  test('is done as it was, though its image was withdrawn since', async () => {
    let imageId = '';
    await watched(async (stream, answers) => {
      if (!stream.startsWith('answer-') || answers > 0) return undefined;
      await world.command(WithdrawImage, { imageId, reason: 'its packages were wrong' });
      return 'lost';
    });
    imageId = await world.image();
    await world.node('node1');
    await world.range('192.0.2.0/30');
    const answer = await world.answer('containers.prepare', preparing(imageId));
    expect(answer).toMatchObject({ outcome: 'done' });
    expect(await world.all('ImageWithdrawn')).toHaveLength(1);
    expect(await world.query(Leftovers, {})).toMatchObject({
      ...{ placements: 1, leases: 1, rosterEntries: 1 },
    });
  });

  test('before it was requested, of an image that was withdrawn since, leaves nothing', async () => {
    let imageId = '';
    let entered = 0;
    await watched(async (stream) => {
      if (!stream.startsWith('roster-') || entered > 0) return undefined;
      entered += 1;
      await world.command(WithdrawImage, { imageId, reason: 'its packages were wrong' });
      throw new EventStoreError('unavailable', 'the process died here');
    });
    imageId = await world.image();
    await world.node('node1');
    await world.range('192.0.2.0/30');
    const answer = await world.answer('containers.prepare', preparing(imageId));
    expect(await world.all('NodeCapacityTaken', 'AddressLeased')).toHaveLength(2);
    expect(answer).toMatchObject({ outcome: 'refused', refusal: { code: 'IMAGE_WITHDRAWN' } });
    expect(await world.query(Leftovers, {})).toMatchObject(nothing);
  });
});

test('a resize of a container that was held at first takes nothing that it gave back', async () => {
  const containerId = id('container', 'web');
  await watched(async (stream) => {
    if (!stream.endsWith('-resize-1')) return undefined;
    if ((await world.all('HoldLifted')).length > 0) return undefined;
    await world.recordHold('h', ['a'], true);
    return 'lost';
  });
  const imageId = await world.image();
  const nodeId = await world.node('node1');
  await world.range('192.0.2.0/30');
  const made = await world.answer('containers.prepare', preparing(imageId));
  await world.answer('containers.build', {
    ...{ containerId, nodeId, placementId: id('placement', 'web') },
    reservationId: id('reservation', 'web'),
    addresses: made?.result?.['addresses'] as LeasedAddress[],
  });
  await world.tenantHold('h', ['a']);
  const limits = { ...plan().limits, memoryBytes: '4096' };
  const answer = await world.answer(
    'containers.resize',
    { containerId, plan: plan({ code: '2000', limits }), reservationId: id('reservation', 'new') },
    { operation: 'resize' },
  );
  expect(answer).toMatchObject({ outcome: 'refused', refusal: { code: 'RESIZE_VOIDED' } });
  expect(await world.query(NodeById, { nodeId })).toMatchObject({ used: { memoryBytes: '1024' } });
  expect(await world.query(ContainerById, { containerId })).toMatchObject({
    plan: { code: '1000' },
  });
});

test('leases whose deadline comes between two ranges are refused, and none is held', async () => {
  let ranges = 0;
  await watched((stream) => {
    if (stream.startsWith('range-')) {
      ranges += 1;
      if (ranges === 1) world.clock.advance(601_000);
    }
    return Promise.resolve(undefined);
  });
  await world.range('192.0.2.0/30');
  await world.range('192.0.2.16/30');
  const begun = instantOf(world.clock.now());
  const answer = await world.answer('containers.lease', {
    ...{ containerId: id('container', 'web'), family: 'ipv4', location: 'fra1' },
    leaseIds: ['a', 'b', 'c'].map((name) => id('lease', name)),
  });
  expect(begun < instantOf(world.clock.now())).toBe(true);
  expect(answer).toMatchObject({ outcome: 'refused', refusal: { code: 'ASK_EXPIRED' } });
  expect((await world.all('AddressLeased')).length).toBeGreaterThan(0);
  expect(await world.query(Leftovers, {})).toMatchObject(nothing);
});

test('leases that were given back before an ask came again are not its own', async () => {
  const leaseId = id('lease', 'a');
  let addresses: LeasedAddress[] = [];
  await watched(async (stream, answers) => {
    if (!stream.startsWith('answer-') || answers > 0) return undefined;
    const [leased] = await world.all('AddressLeased');
    if (leased === undefined) return undefined;
    const { rangeId, address } = leased.data as { rangeId: string; address: string };
    addresses = [{ leaseId, rangeId, address, family: 'ipv4' }];
    await world.asks(
      'containers.unlease',
      { leaseIds: [leaseId], addresses, family: 'ipv4', location: 'fra1' },
      { operation: 'undo', step: 'undo-lease-1' },
    );
    return 'lost';
  });
  await world.range('192.0.2.0/30');
  const answer = await world.answer('containers.lease', {
    ...{ containerId: id('container', 'web'), family: 'ipv4', location: 'fra1' },
    leaseIds: [leaseId],
  });
  expect(addresses).toHaveLength(1);
  expect(answer?.outcome).toBe('refused');
  expect(await world.query(Leftovers, {})).toMatchObject(nothing);
});
