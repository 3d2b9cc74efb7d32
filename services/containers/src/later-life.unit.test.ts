import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LeasedAddress } from '@bivouac/events/operations';
import { instantOf, plusSeconds } from '@bivouac/events/values';
import { systemPrincipal } from '@bivouac/infra/runtime';

import {
  ContainerById,
  Containers,
  DeprecateImage,
  DestroyStray,
  Differences,
  DrainNode,
  Images,
  InstructionsForNode,
  LabelNode,
  Leftovers,
  NodeById,
  Nodes,
  RangeById,
  Reconcile,
  StrayInstances,
  UndrainNode,
  WithdrawImage,
} from './api/index.ts';
import { id, plan } from './given.ts';
import { customerOf, SampleWorld } from './sample-world.ts';

const page = { limit: 50 };
const vector = {
  ...{ containers: 1, cpuMillis: 1000, memoryBytes: '1024', diskBytes: '4096', addresses: 1 },
};
const large = (code: string, memoryBytes: string) =>
  plan({ code, limits: { ...plan().limits, memoryBytes } });

let world: SampleWorld;
let nodeId: string;
let imageId: string;

beforeEach(async () => {
  world = await new SampleWorld({ seed: 11 }).start();
  nodeId = await world.node('node1');
  await world.range('192.0.2.0/28');
  imageId = await world.image();
});
afterEach(async () => {
  await world.stop();
});

type More = Parameters<SampleWorld['answer']>[1] & Record<string, unknown>;

async function prepared(name: string, more: Partial<More> = {}) {
  return world.answer(
    'containers.prepare',
    {
      ...{ containerId: id('container', name), hostname: `${name}.example.com`, plan: plan() },
      ...{ imageId, placementId: id('placement', name), tenantId: id('tenant', 'a'), vector },
      ...{ leaseIds: [id('lease', name)], family: 'ipv4' as const, ...more },
    },
    { operation: name, step: 'prepare' },
  );
}

async function running(name: string): Promise<string> {
  const answer = await prepared(name);
  const result = answer?.result as { nodeId: string; addresses: LeasedAddress[] };
  const { addresses } = result;
  const containerId = id('container', name);
  await world.answer(
    'containers.build',
    {
      ...{ containerId, nodeId: result.nodeId, placementId: id('placement', name), addresses },
      reservationId: id('reservation', name),
    },
    { operation: name, step: 'build' },
  );
  return containerId;
}

const container = (containerId: string) => world.query(ContainerById, { containerId });
const power = (containerId: string, action: 'start' | 'stop' | 'freeze', operation: string) =>
  world.answer('containers.power', { containerId, action }, { operation });

describe('a resize', () => {
  const resize = (containerId: string, to: ReturnType<typeof plan>, operation = 'resize') =>
    world.answer(
      'containers.resize',
      { containerId, plan: to, reservationId: id('reservation', operation) },
      { operation },
    );
  const used = async () => (await world.query(NodeById, { nodeId }))?.used.memoryBytes;

  test('takes what it needs more on its node, and the smaller plan gives it back', async () => {
    const containerId = await running('web');
    const answer = await resize(containerId, large('2000', '4096'));
    expect(answer).toMatchObject({ outcome: 'done', result: { resizedAt: expect.any(String) } });
    expect(await used()).toBe('4096');
    expect(await container(containerId)).toMatchObject({
      plan: { code: '2000' },
      limits: { memoryBytes: '4096' },
    });
    await resize(containerId, large('500', '512'), 'shrink');
    expect(await used()).toBe('512');
    await world.pass(1200);
    expect(await world.all('NodeCapacityResizeVoided')).toEqual([]);
  });

  test('for which its node has no room leaves all as it was', async () => {
    const containerId = await running('web');
    const answer = await resize(containerId, large('huge', '1048577'));
    expect(answer).toMatchObject({ refusal: { code: 'NO_NODE_WITH_ROOM' } });
    expect(await used()).toBe('1024');
    expect(await world.all('ContainerResizing')).toEqual([]);
  });

  test('that the node cannot do gives back what was taken', async () => {
    const containerId = await running('web');
    world.manner = ({ step }) => (step === 'limits' ? 'failed' : 'done');
    const answer = await resize(containerId, large('2000', '4096'));
    expect(answer).toMatchObject({
      outcome: 'failed',
      refusal: { code: 'LIMITS_NOT_APPLICABLE' },
    });
    expect(await used()).toBe('1024');
    expect(await container(containerId)).toMatchObject({ plan: { code: '1000' } });
  });

  test('that is refused by the container gives back what was taken', async () => {
    const containerId = await running('web');
    await world.tenantHold('h', ['a']);
    const answer = await resize(containerId, large('2000', '4096'));
    expect(answer).toMatchObject({ refusal: { code: 'CONTAINER_HELD' } });
    expect(await used()).toBe('1024');
    const foreign = await world.answer(
      'containers.resize',
      { containerId, plan: plan(), reservationId: id('reservation', 'x') },
      { operation: 'foreign', tenant: 'stranger' },
    );
    expect(foreign).toMatchObject({ refusal: { code: 'CONTAINER_UNKNOWN' } });
  });

  test('of a container that is gone is told so, also when its place was given back', async () => {
    const containerId = await running('web');
    const destroyed = await world.answer(
      'containers.destroy',
      { containerId, reason: 'cancelled' },
      { operation: 'end' },
    );
    const gone = { outcome: 'refused', refusal: { code: 'CONTAINER_GONE' } };
    expect(await resize(containerId, large('2000', '4096'), 'before')).toMatchObject(gone);
    const place = { placementId: id('placement', 'web'), nodeId };
    expect(destroyed).toMatchObject({ outcome: 'done', result: place });
    await world.answer('containers.unplace', place, { operation: 'end' });
    expect(await resize(containerId, large('2000', '4096'), 'after')).toMatchObject(gone);
  });
});

test('a container that is destroyed after staff ended its termination leaves the roster', async () => {
  const containerId = await running('web');
  world.manner = ({ step }) => (step === 'destroy' ? 'silent' : 'done');
  await world.asks('containers.destroy', { containerId, reason: 'over' }, { operation: 'end' });
  await world.settled();
  const operationId = id('operation', 'end');
  await world.answer('containers.let-go', { containerId, operationId }, { operation: 'end' });
  expect(await world.query(Leftovers, {})).toMatchObject({ rosterEntries: 1 });
  world.manner = () => 'done';
  world.connect(nodeId);
  expect(await container(containerId)).toMatchObject({ lifecycle: 'deleted' });
  expect(await world.query(Leftovers, {})).toMatchObject({ rosterEntries: 0 });
});

test('a container that is let go of says by which reservations it is there', async () => {
  const letGo = async (containerId: string, operation: string) => {
    const operationId = id('operation', operation);
    const answer = await world.answer(
      'containers.let-go',
      { containerId, operationId },
      { operation },
    );
    return answer?.result;
  };
  const containerId = await running('web');
  const own = { reservationIds: [id('reservation', 'web')] };
  world.manner = ({ step }) => (step === 'limits' ? 'silent' : 'done');
  await world.asks(
    'containers.resize',
    { containerId, plan: large('2000', '4096'), reservationId: id('reservation', 'new') },
    { operation: 'resize' },
  );
  await world.settled();
  expect(await letGo(containerId, 'resize')).toEqual(own);
  // The node answers once nobody waits: it is told the old limits, and the size stays what it was.
  world.manner = () => 'done';
  world.connect(nodeId);
  await world.settled();
  expect(await container(containerId)).toMatchObject({ plan: { code: '1000' } });
  expect(await letGo(containerId, 'other')).toEqual(own);
  expect(await letGo(id('container', 'none'), 'never')).toEqual({ reservationIds: [] });
});

describe('a soft deletion', () => {
  const softDelete = (containerId: string, seconds: number) =>
    world.answer(
      'containers.soft-delete',
      {
        ...{ containerId, reason: 'cancelled' },
        restoreUntil: plusSeconds(instantOf(world.clock.now()), seconds),
      },
      { operation: 'delete' },
    );

  test('ends its window by timer, once, and after a restart all the same', async () => {
    const containerId = await running('web');
    expect(await softDelete(containerId, 300)).toMatchObject({ outcome: 'done' });
    expect(await container(containerId)).toMatchObject({
      ...{ lifecycle: 'soft-deleted', observed: { state: 'stopped' } },
      restoreUntil: expect.any(String),
    });
    await world.stop();
    await world.start();
    await world.pass(600);
    expect(await world.all('RestoreWindowEnded')).toHaveLength(1);
    const late = await world.answer('containers.restore', { containerId }, { operation: 'late' });
    expect(late).toMatchObject({ refusal: { code: 'RESTORE_WINDOW_ENDED' } });
  });

  test('that is taken back has no window, and runs again', async () => {
    const containerId = await running('web');
    await softDelete(containerId, 300);
    const answer = await world.answer(
      'containers.restore',
      { containerId },
      { operation: 'restore' },
    );
    expect(answer).toMatchObject({ outcome: 'done' });
    await world.pass(600);
    expect(await world.all('RestoreWindowEnded')).toEqual([]);
    expect(await container(containerId)).toMatchObject({
      ...{ lifecycle: 'running', observed: { state: 'running' }, restoreUntil: null },
      softDeletedAt: null,
    });
  });
});

describe('what differs from what is wanted', () => {
  const sees = (containerId: string, state: 'stopped' | 'running' | 'absent') =>
    world.says(nodeId, { type: 'observation', containerId, generation: 1, state });

  test('is started by itself after five minutes, not before, and again if it fails', async () => {
    const containerId = await running('web');
    await sees(containerId, 'stopped');
    expect((await world.query(Differences, { page })).items).toMatchObject([
      { node: { containerId, nodeId, wanted: 'running', observed: 'stopped', action: 'start' } },
    ]);
    world.manner = () => 'failed';
    await world.pass(290);
    expect(await world.all('DifferenceFound')).toEqual([]);
    await world.pass(20);
    expect(await world.all('DifferenceFound')).toHaveLength(1);
    world.manner = () => 'done';
    await world.pass(310);
    expect(await container(containerId)).toMatchObject({ observed: { state: 'running' } });
    expect((await world.query(Differences, { page })).items).toEqual([]);
    await world.pass(900);
    expect(await world.all('DifferenceFound')).toHaveLength(2);
  });

  test('is acted upon at once when staff order it, and listed only when they do not', async () => {
    const containerId = await running('web');
    const missing = await running('lost');
    await sees(containerId, 'stopped');
    await sees(missing, 'absent');
    const before = (await world.store.head()).position;
    const found = await world.query(Differences, { page, nodeId });
    expect(found.items.map(({ node }) => node.action)).toEqual(['start', 'none']);
    expect((await world.store.head()).position).toBe(before);
    await world.command(Reconcile, { nodeId: id('node', 'other') });
    await world.settled();
    expect(await world.all('DifferenceFound')).toEqual([]);
    await world.command(Reconcile, {});
    const left = await world.query(Differences, { page });
    expect(left.items).toMatchObject([{ node: { containerId: missing, action: 'none' } }]);
    expect(await world.command(Reconcile, {}, customerOf('a'))).toMatchObject({ ok: false });
  });

  test('is what a whole list of the node lacks; what is nobody’s there is a stray', async () => {
    const containerId = await running('web');
    world.clock.advance(1000);
    world.connect(nodeId);
    const stray = id('container', 'nobody');
    const instance = { containerId: stray, generation: 3, state: 'running' as const };
    await world.says(nodeId, { type: 'list', instances: [instance] });
    expect(await container(containerId)).toMatchObject({ observed: { state: 'absent' } });
    const strays = await world.query(StrayInstances, { page });
    expect(strays.items).toMatchObject([{ node: { containerId: stray, why: 'unknown' } }]);
    // Nothing was told to destroy it.
    expect((await world.all('InstructionIssued')).map(({ data }) => data['step'])).toEqual([
      'build',
    ]);
    await world.says(nodeId, {
      ...{ type: 'list' as const },
      instances: [{ containerId, generation: 1, state: 'running' }],
    });
    expect((await world.query(StrayInstances, { page, nodeId })).items).toEqual([]);
    expect((await world.query(Differences, { page })).items).toEqual([]);
  });

  test('that is a stray is destroyed when staff say so; what a container has there is not', async () => {
    const containerId = await running('web');
    world.clock.advance(1000);
    world.connect(nodeId);
    const stray = id('container', 'nobody');
    const instance = { containerId: stray, generation: 3, state: 'running' as const };
    const web = { containerId, generation: 1, state: 'running' as const };
    await world.says(nodeId, { type: 'list', instances: [instance, web] });
    const reason = 'left over from a restored disk';
    const order = { nodeId, containerId: stray, reason };
    const agent = systemPrincipal('node:one', id('tenant', 'a'), id('tenant', 'a'));
    expect(await world.command(DestroyStray, order, customerOf('a'))).toMatchObject({ ok: false });
    expect(await world.command(DestroyStray, { ...order, containerId })).toMatchObject({
      refusal: { code: 'STRAY_UNKNOWN' },
    });
    world.manner = () => 'failed';
    expect(await world.command(DestroyStray, order)).toMatchObject({ ok: true });
    await world.settled();
    const failed = await world.query(StrayInstances, { page });
    expect(failed.items).toMatchObject([{ node: { destruction: { outcome: 'failed' } } }]);
    world.manner = () => 'silent';
    await world.command(DestroyStray, order);
    await world.settled();
    const waiting = await world.query(InstructionsForNode, { nodeId }, agent);
    expect(waiting.items).toMatchObject([
      { stray: true, instruction: { step: 'destroy', generation: 3, containerId: stray } },
    ]);
    world.clock.advance(125_000);
    await world.settled();
    const late = await world.query(StrayInstances, { page });
    expect(late.items).toMatchObject([{ node: { destruction: { outcome: 'timed-out' } } }]);
    expect((await world.query(InstructionsForNode, { nodeId }, agent)).items).toEqual([]);
    world.manner = () => 'done';
    await world.command(DestroyStray, order);
    await world.settled();
    expect((await world.query(StrayInstances, { page })).items).toEqual([]);
    expect(await container(containerId)).toMatchObject({ lifecycle: 'running' });
  });

  test('of an operation at work is none', async () => {
    const containerId = await running('web');
    world.manner = () => 'silent';
    await power(containerId, 'stop', 'stop');
    expect(await container(containerId)).toMatchObject({ lifecycle: 'stopped' });
    expect((await world.query(Differences, { page })).items).toEqual([]);
  });
});

describe('nodes', () => {
  test('say what they have, changed or not; staff label them', async () => {
    expect(await world.query(NodeById, { nodeId })).toMatchObject({
      inventory: { engine: 'fake', kernel: '6' },
    });
    world.connect(nodeId);
    await world.settled();
    expect(await world.all('NodeInventoryChanged')).toHaveLength(1);
    await world.command(LabelNode, { nodeId, labels: ['ssd', 'rack=a12', 'ssd'] });
    await world.node('node2');
    const labelled = await world.query(Nodes, { page, label: 'ssd' });
    expect(labelled.items.map(({ node }) => node.labels)).toEqual([['rack=a12', 'ssd']]);
    const unknown = await world.command(LabelNode, { nodeId: id('node', 'none'), labels: [] });
    expect(unknown).toMatchObject({ ok: false });
  });

  test('that are drained take no new placement; what is there stays', async () => {
    const containerId = await running('web');
    await world.command(DrainNode, { nodeId, reason: 'a disk fails' });
    expect(await prepared('next')).toMatchObject({ refusal: { code: 'NO_NODE_WITH_ROOM' } });
    expect(await power(containerId, 'stop', 'stop')).toMatchObject({ outcome: 'done' });
    expect((await world.query(Nodes, { page, drained: true })).items).toHaveLength(1);
    await world.command(UndrainNode, { nodeId });
    expect(await prepared('again')).toMatchObject({ outcome: 'done' });
    expect((await world.query(Nodes, { page, drained: true })).items).toEqual([]);
  });

  test('are filled one after the other where that is wanted, and have what is required', async () => {
    const second = await world.node('node2');
    await world.command(LabelNode, { nodeId: second, labels: ['ssd'] });
    await world.settled();
    const at = async (name: string, more: Partial<More>) =>
      (await prepared(name, more))?.result?.['nodeId'];
    expect(await at('first', { labels: ['ssd'] })).toBe(second);
    for (const name of ['b', 'c', 'd']) {
      expect(await at(name, { placement: 'packed' })).toBe(second);
    }
    const none = await prepared('none', { features: ['gpu'] });
    expect(none).toMatchObject({
      refusal: {
        code: 'NO_NODE_WITH_ROOM',
        message: expect.stringContaining('that has gpu'),
        path: ['input', 'features'],
      },
    });
  });

  test('list their containers, for the staff only', async () => {
    const containerId = await running('web');
    const listed = await world.query(Containers, { page, nodeId });
    expect(listed.items.map(({ node }) => node.id)).toEqual([containerId]);
    const other = { page, nodeId: id('node', 'other') };
    expect((await world.query(Containers, other)).items).toEqual([]);
    const curious = world.query(Containers, { page, nodeId }, customerOf('a'));
    await expect(curious).rejects.toThrow('NOT_ALLOWED');
  });
});

describe('addresses', () => {
  const addressOf = (answer: Awaited<ReturnType<typeof prepared>>) =>
    (answer?.result?.['addresses'] as LeasedAddress[] | undefined)?.map(({ address }) => address);

  test('can be asked for by name, once, with others beside', async () => {
    const leaseIds = [id('lease', 'x'), id('lease', 'y')];
    const answer = await prepared('web', { address: '192.0.2.9', leaseIds });
    expect(addressOf(answer)).toEqual(['192.0.2.9', '192.0.2.1']);
    const second = await prepared('next', { address: '192.0.2.9' });
    expect(second).toMatchObject({ refusal: { code: 'ADDRESS_TAKEN' } });
    // The broadcast address is reserved.
    const reserved = await prepared('last', { address: '192.0.2.15' });
    expect(reserved).toMatchObject({ refusal: { code: 'ADDRESS_TAKEN' } });
    const elsewhere = [
      { address: '198.51.100.1' },
      { address: '192.0.2.3', location: 'ams1' },
      { address: '2001:db8::5', family: 'ipv6' as const },
    ];
    for (const [i, more] of elsewhere.entries()) {
      const outside = await prepared(`outside-${i}`, more);
      expect(outside).toMatchObject({ refusal: { code: 'ADDRESS_NOT_IN_POOL' } });
    }
    expect((await world.query(NodeById, { nodeId }))?.placements).toBe(1);
  });

  test('of IPv6 are leased by index from the first of a /64', async () => {
    const rangeId = await world.range('2001:db8:0:1::/64');
    const first = await prepared('six', { family: 'ipv6' });
    expect(addressOf(first)).toEqual(['2001:db8:0:1::1']);
    const chosen = await prepared('chosen', { family: 'ipv6', address: '2001:db8:0:1::fff' });
    expect(addressOf(chosen)).toEqual(['2001:db8:0:1::fff']);
    const beyond = await prepared('beyond', { family: 'ipv6', address: '2001:db8:0:1::1000' });
    expect(beyond).toMatchObject({ refusal: { code: 'ADDRESS_TAKEN' } });
    expect(await world.query(RangeById, { rangeId })).toMatchObject({ size: 4095, leased: 2 });
    expect(await world.query(RangeById, { rangeId: id('range', 'none') })).toBeNull();
  });
});

describe('images', () => {
  test('that are deprecated or withdrawn are neither offered nor ordered', async () => {
    const containerId = await running('web');
    const listed = async (...args: Parameters<typeof customerOf>) =>
      (await world.query(Images, { page }, customerOf(...args))).items.length;
    expect(await listed('a')).toBe(1);
    await world.command(DeprecateImage, { imageId, reason: 'a newer one is out' });
    expect(await listed('a')).toBe(0);
    expect(await prepared('next')).toMatchObject({ refusal: { code: 'IMAGE_DEPRECATED' } });
    expect(await container(containerId)).toMatchObject({ image: { imageId } });
    await world.command(WithdrawImage, { imageId, reason: 'its packages were wrong' });
    expect(await prepared('then')).toMatchObject({ refusal: { code: 'IMAGE_WITHDRAWN' } });
    const withdrawn = await world.query(Images, { page, status: 'withdrawn' });
    expect(withdrawn.items).toMatchObject([
      { node: { retired: { reason: 'its packages were wrong' } } },
    ]);
  });
});
