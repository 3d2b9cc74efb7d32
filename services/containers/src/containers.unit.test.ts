import { afterEach, describe, expect, test } from '@jest/globals';
import type { LeasedAddress } from '@bivouac/events/operations';

import {
  ContainerById,
  ContainerHistory,
  Containers,
  Images,
  Leftovers,
  RenameContainer,
  ReportAnswer,
} from './api/index.ts';
import { id, plan } from './given.ts';
import { customerOf, SampleWorld, staff } from './sample-world.ts';

const page = { limit: 50 };
const nothingLeft = { leases: 0, placements: 0, rosterEntries: 0, unansweredInstructions: 0 };
const vector = {
  ...{ containers: 1, cpuMillis: 1000, memoryBytes: '1024', diskBytes: '4096', addresses: 1 },
};

let world: SampleWorld;
afterEach(async () => {
  await world.stop();
});

/** Walks an order up to where it has all it needs to be built. */
async function ordered(name: string, tenant = 'a') {
  const imageId = await world.image();
  const containerId = id('container', name);
  const placementId = id('placement', name);
  const as = (step: string) => ({ operation: name, step, tenant });
  const leaseIds = [id('lease', name)];
  const requested = await world.answer(
    'containers.prepare',
    {
      ...{ containerId, hostname: `${name}.example.com`, plan: plan(), imageId, placementId },
      ...{ tenantId: id('tenant', tenant), vector, leaseIds, family: 'ipv4' },
    },
    as('prepare'),
  );
  const { nodeId, location, addresses } = (requested?.result ?? {}) as {
    nodeId: string;
    location: string;
    addresses: LeasedAddress[];
  };
  return { containerId, placementId, nodeId, location, leaseIds, addresses, as, requested };
}

async function built(name: string, tenant = 'a') {
  const order = await ordered(name, tenant);
  const { containerId, nodeId, placementId, addresses, as } = order;
  const reservationId = id('reservation', name);
  const answer = await world.answer(
    'containers.build',
    { containerId, nodeId, placementId, reservationId, addresses },
    as('build'),
  );
  return { ...order, answer };
}

async function terminated(order: Awaited<ReturnType<typeof built>>, operation: string) {
  const { containerId, as } = order;
  const destroyed = await world.answer(
    'containers.destroy',
    { containerId, reason: 'cancelled' },
    { ...as('destroy'), operation },
  );
  const result = destroyed?.result as {
    placementId: string;
    nodeId: string;
    addresses: LeasedAddress[];
    location: string;
  };
  const { placementId, nodeId, addresses, location } = result;
  await world.answer(
    'containers.unlease',
    { leaseIds: addresses.map((a) => a.leaseId), addresses, location, family: 'ipv4' },
    as('unlease'),
  );
  await world.answer('containers.unplace', { placementId, nodeId }, as('unplace'));
  return destroyed;
}

describe('the life of a container', () => {
  test('from the order to the end leaves nothing over', async () => {
    world = await new SampleWorld({ seed: 7 }).start();
    const nodeId = await world.node('node1');
    await world.range('192.0.2.0/28');
    const order = await built('web');
    const { containerId } = order;
    expect(order.answer).toMatchObject({ outcome: 'done' });
    const mine = customerOf('a');
    const seen = await world.query(ContainerById, { containerId }, mine);
    expect(seen).toMatchObject({
      ...{ lifecycle: 'running', operation: null, holds: [], location: 'fra1', node: null },
      ...{ observed: { state: 'running', generation: 1 }, hostname: 'web.example.com' },
      ...{ addresses: [{ address: '192.0.2.1' }], runningSince: expect.any(String) },
    });
    expect(await world.query(ContainerById, { containerId })).toMatchObject({
      node: { id: nodeId, name: 'node1' },
    });

    const hold = { holdId: id('hold'), kind: 'billing' as const, reason: 'overdue' };
    const op = (operation: string) => ({ operation });
    const held = await world.answer('containers.hold', { containerId, hold }, op('suspend'));
    expect(held).toMatchObject({ outcome: 'done' });
    expect(await world.query(ContainerById, { containerId }, mine)).toMatchObject({
      ...{ lifecycle: 'running', observed: { state: 'stopped' }, operation: null },
      holds: [{ holdId: hold.holdId, kind: 'billing' }],
    });
    const inspected = await world.answer('containers.inspect', { containerId }, op('look'));
    expect(inspected).toMatchObject({ refusal: { code: 'CONTAINER_HELD' } });
    const freed = { containerId, holdId: hold.holdId };
    expect(await world.answer('containers.unhold', freed, op('resume'))).toMatchObject({
      outcome: 'done',
    });
    expect(await world.answer('containers.inspect', { containerId }, op('see'))).toMatchObject({
      result: { location: 'fra1', addresses: 1 },
    });

    const destroyed = await terminated(order, 'terminate');
    expect(destroyed).toMatchObject({ outcome: 'done', result: { nodeId } });
    expect(await world.query(Leftovers, {})).toEqual(nothingLeft);
    expect(await world.query(ContainerById, { containerId }, mine)).toMatchObject({
      ...{ lifecycle: 'deleted', endedAt: expect.any(String), observed: { state: 'absent' } },
    });
  });

  test('can be rebuilt from the log: every row the same', async () => {
    world = await new SampleWorld().start();
    await world.node('node1');
    await world.range('192.0.2.0/28');
    const order = await built('web');
    await built('mail');
    await terminated(order, 'terminate');
    const live = world.host.follower.dump('containers');
    await world.host.follower.rebuild('containers');
    expect(world.host.follower.dump('containers').tables).toEqual(live.tables);
    expect(live.tables['containers']).toMatchObject({ rows: 2 });
  });

  test('a build that the node fails is answered so, and its undo leaves nothing over', async () => {
    world = await new SampleWorld().start();
    await world.node('node1');
    await world.range('192.0.2.0/28');
    world.manner = ({ step }) => (step === 'build' ? 'failed' : 'done');
    const order = await built('web');
    expect(order.answer).toMatchObject({ outcome: 'failed', refusal: { code: 'NODE_FAILED' } });
    await terminated(order, 'web');
    const { containerId, as } = order;
    const { placementId, leaseIds } = order;
    const reason = 'the order could not be fulfilled';
    await world.answer(
      'containers.discard',
      { containerId, reason, placementId, leaseIds, addresses: [] },
      as('undo-prepare'),
    );
    expect(await world.query(Leftovers, {})).toEqual(nothingLeft);
  });

  test('a node that says nothing is timed out before the operation is, and told again when back', async () => {
    world = await new SampleWorld().start();
    const nodeId = await world.node('node1');
    await world.range('192.0.2.0/28');
    world.manner = () => 'silent';
    const order = await ordered('web');
    const { containerId, placementId, addresses, as } = order;
    const read = await world.asks(
      'containers.build',
      { containerId, nodeId, placementId, reservationId: id('reservation'), addresses },
      { ...as('build'), seconds: 120 },
    );
    await world.pass(100);
    expect(await read()).toBeUndefined();
    await world.pass(18);
    expect(await read()).toMatchObject({ outcome: 'failed', refusal: { code: 'NODE_TIMEOUT' } });
    const destroyed = await world.asks(
      'containers.destroy',
      { containerId, reason: 'undone' },
      as('undo-build'),
    );
    await world.settled();
    expect(await destroyed()).toBeUndefined();
    world.manner = () => 'done';
    world.connect(nodeId);
    await world.settled();
    expect(await destroyed()).toMatchObject({ outcome: 'done' });
  });
});

describe("an account's hold", () => {
  test('stops every container it reaches, refuses new ones, and lifted lets all run', async () => {
    world = await new SampleWorld({ seed: 3 }).start();
    await world.node('node1');
    await world.range('192.0.2.0/28');
    const web = await built('web');
    const mail = await built('mail', 'sub');
    const other = await built('other', 'beside');
    await world.tenantHold('h', ['a', 'sub']);
    const state = async ({ containerId }: { containerId: string }) =>
      (await world.query(ContainerById, { containerId }))?.observed?.state;
    expect([await state(web), await state(mail), await state(other)]).toEqual([
      ...['stopped', 'stopped', 'running'],
    ]);
    const late = await ordered('late', 'sub');
    expect(late.requested).toMatchObject({ refusal: { code: 'TENANT_HELD' } });
    const { containerId } = web;
    const holdId = id('hold', 'h');
    const lifting = await world.answer('containers.unhold', { containerId, holdId });
    expect(lifting).toMatchObject({ refusal: { code: 'HOLD_OF_ACCOUNT' } });
    await world.tenantHold('h', ['a', 'sub'], true);
    expect([await state(web), await state(mail)]).toEqual(['running', 'running']);
    expect(await world.all('ContainerRunning')).toHaveLength(3);
  });
});

describe('what may be seen and done', () => {
  test('ends at the wall between tenants', async () => {
    world = await new SampleWorld().start();
    await world.node('node1');
    await world.range('192.0.2.0/28');
    const { containerId } = await built('web');
    const stranger = customerOf('stranger');
    expect(await world.query(ContainerById, { containerId }, stranger)).toBeNull();
    expect(await world.query(ContainerHistory, { containerId, page }, stranger)).toBeNull();
    expect((await world.query(Containers, { page }, stranger)).items).toEqual([]);
    const others = { page, tenantId: id('tenant', 'a') };
    expect((await world.query(Containers, others, stranger)).items).toEqual([]);
    const rename = { containerId, hostname: 'mine.example.com' };
    expect(await world.command(RenameContainer, rename, stranger)).toMatchObject({ ok: false });
    expect(await world.command(RenameContainer, rename, customerOf('a'))).toMatchObject({
      ok: true,
    });
    const answer = { nodeId: id('node'), containerId, instructionId: id('instruction') };
    const forged = await world.command(
      ReportAnswer,
      { ...answer, outcome: 'done' },
      customerOf('a'),
    );
    expect(forged).toMatchObject({ refusal: { code: 'NOT_ALLOWED' } });
    const foreign = await world.answer(
      'containers.destroy',
      { containerId, reason: 'mischief' },
      { operation: 'foreign', tenant: 'stranger' },
    );
    expect(foreign).toMatchObject({ outcome: 'refused', refusal: { code: 'CONTAINER_UNKNOWN' } });
  });

  test('of a history is what the audience may see', async () => {
    world = await new SampleWorld().start();
    await world.node('node1');
    await world.range('192.0.2.0/28');
    const { containerId } = await built('web');
    const read = (principal: typeof staff) =>
      world.query(ContainerHistory, { containerId, page }, principal);
    const reserved = (history: Awaited<ReturnType<typeof read>>) =>
      history?.items.find((item) => item.type === 'containers.ContainerReserved')?.data;
    expect(reserved(await read(staff))).toHaveProperty('nodeId');
    expect(reserved(await read(customerOf('a')))).not.toHaveProperty('nodeId');
    expect(reserved(await read(customerOf('a')))).toHaveProperty('addresses');
  });

  test('of containers pages stably, by tenant and lifecycle', async () => {
    world = await new SampleWorld().start();
    await world.node('node1');
    await world.range('192.0.2.0/28');
    for (const name of ['c1', 'c2', 'c3']) await built(name);
    await built('s1', 'sub');
    const waiting = await ordered('w1');
    const names = async (
      args: Parameters<
        typeof world.query<(typeof Containers)['input'], (typeof Containers)['result']>
      >[1],
      principal = staff,
    ) => {
      const answer = await world.query(Containers, args, principal);
      return {
        names: answer.items.map(({ node }) => node.hostname.split('.')[0]),
        next: answer.hasNext,
        cursor: answer.items.at(-1)?.cursor,
      };
    };
    const first = await names({ page: { limit: 2 } });
    expect(first).toMatchObject({ names: ['c1', 'c2'], next: true });
    const second = await names({ page: { limit: 2, after: first.cursor } });
    expect(second).toMatchObject({ names: ['c3', 's1'], next: true });
    const last = await names({ page: { limit: 2, after: second.cursor } });
    expect(last).toMatchObject({ names: ['w1'], next: false });
    const reseller = {
      ...customerOf('a'),
      reach: new Set([id('tenant', 'a'), id('tenant', 'sub')]),
    };
    expect(await names({ page }, reseller)).toMatchObject({
      names: ['c1', 'c2', 'c3', 's1', 'w1'],
    });
    expect(await names({ page }, customerOf('a'))).toMatchObject({
      names: ['c1', 'c2', 'c3', 'w1'],
    });
    expect(await names({ page, lifecycle: 'requested' })).toMatchObject({ names: ['w1'] });
    expect(await names({ page, lifecycle: 'running' }, reseller)).toMatchObject({
      names: ['c1', 'c2', 'c3', 's1'],
    });
    const ofSub = { page, lifecycle: 'running' as const, tenantId: id('tenant', 'sub') };
    expect(await names(ofSub)).toMatchObject({ names: ['s1'] });
    expect(await world.query(ContainerById, { containerId: waiting.containerId })).toMatchObject({
      operation: { operationId: id('operation', 'w1'), ask: null },
    });
  });

  test('of images is what is published, for the staff all', async () => {
    world = await new SampleWorld().start();
    await world.image();
    await world.image(false);
    const read = async (principal: typeof staff) =>
      (await world.query(Images, { page }, principal)).items.map(({ node }) => node.status);
    expect(await read(staff)).toEqual(['published', 'drafted']);
    expect(await read(customerOf('a'))).toEqual(['published']);
  });
});
