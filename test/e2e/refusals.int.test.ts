/**
 * Orders that cannot be fulfilled: each ends failed with its code and a sentence that says what to
 * do, and leaves nothing behind.
 */
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { idFromUuid } from '@bivouac/events/values';
import { z } from 'zod';

import { closeAll, type Ended, nothing, open, type Running } from './installation.ts';

afterEach(closeAll);
afterAll(closeAll);

/** A sentence for a person: a capital, a full stop or remedy, no code and no stack. */
function expectRefused(ended: Ended, code: string, says: RegExp): void {
  expect(ended.status).toBe('FAILED');
  expect(ended.error?.code).toBe(code);
  expect(ended.error?.message).toMatch(says);
  expect(ended.error?.message).not.toMatch(/undefined|\[object|\n {4}at /);
}

async function fillUp(running: Running, input: Record<string, unknown>): Promise<void> {
  for (let n = 0; n < 40; n++) {
    const ended = await running.end(await running.order(input));
    if (ended.status !== 'SUCCEEDED') return;
  }
  throw new Error('it never filled up');
}

test('a pool with too few addresses: POOL_FULL, and what was leased of them is given back', async () => {
  const running = await open();
  const range = await running.staff.mutate('registerAddressRange', {
    cidr: '198.51.100.0/30',
    location: 'tiny',
    coolDownSeconds: 60,
  });
  expect(range.__typename).toBe('AddressRangeRegistered');
  await running.staff.mutate('registerNode', {
    name: 'tiny-1',
    location: 'tiny',
    engine: 'none 1',
    capacity: {
      containers: 100,
      cpuMillis: 1_000_000,
      memoryBytes: (2n ** 45n).toString(),
      diskBytes: (2n ** 45n).toString(),
    },
  });
  await running.installation.host.settled();
  // More addresses than the /30 has; the place on the node was taken before.
  const ended = await running.end(await running.order({ location: 'tiny', extraAddresses: 4 }));
  expectRefused(ended, 'POOL_FULL', /address/i);
  expect(await running.held()).toEqual(nothing);
  // What found no room was never a container.
  expect(await running.knows(ended.targetId)).toBe(false);
});

test('no node with room: NO_NODE_WITH_ROOM, and nothing of the order is left', async () => {
  const running = await open();
  const limit = await running.staff.mutate('registerNode', {
    name: 'small-1',
    location: 'small',
    engine: 'none 1',
    capacity: {
      containers: 1,
      cpuMillis: 100,
      memoryBytes: (2n ** 20n).toString(),
      diskBytes: (2n ** 20n).toString(),
    },
  });
  expect(limit.__typename).toBe('NodeRegistered');
  await running.staff.mutate('registerAddressRange', {
    cidr: '198.51.100.0/24',
    location: 'small',
  });
  await running.installation.host.settled();
  const ended = await running.end(await running.order({ location: 'small' }));
  expectRefused(ended, 'NO_NODE_WITH_ROOM', /node|room/i);
  expect(await running.held()).toEqual(nothing);

  // A location that there is not at all reads the same: no node there has room.
  const nowhere = await running.end(await running.order({ location: 'nowhere' }));
  expectRefused(nowhere, 'NO_NODE_WITH_ROOM', /nowhere/);
  expect(await running.held()).toEqual(nothing);
});

test('a node that is full by its engine: the order fails and what it held is given back', async () => {
  const running = await open({ nodeUrl: 'fake:?containers=2' });
  await fillUp(running, {});
  expect(await running.held()).toMatchObject({
    leases: 2,
    placements: 2,
    rosterEntries: 2,
    openCharges: 2,
    instances: 2,
    unansweredInstructions: 0,
    'reserved containers': 2,
  });
});

test('a node of so much memory takes as many as fit: then NO_NODE_WITH_ROOM', async () => {
  const running = await open({ nodeUrl: 'fake:?memory=2GiB' });
  await running.running();
  await running.running();
  const ended = await running.end(await running.order());
  expectRefused(ended, 'NO_NODE_WITH_ROOM', /room/i);
  expect(await running.held()).toMatchObject({ placements: 2, leases: 2, instances: 2 });
});

test('an unknown plan, an unknown image, an unpublished image, a held account', async () => {
  const running = await open();
  const { host } = running.installation;
  const { seeded } = running;

  expectRefused(
    await running.end(await running.order({ plan: 'no-such-plan' })),
    'PLAN_UNKNOWN',
    /plan/i,
  );
  expect(await running.held()).toEqual(nothing);

  const unknown = idFromUuid('image', '01890000-0000-7000-8000-000000000000');
  expectRefused(
    await running.end(await running.order({ imageId: unknown })),
    'IMAGE_UNKNOWN',
    /image/i,
  );
  expect(await running.held()).toEqual(nothing);

  const { image } = await running.staff.read(
    z.object({ image: z.object({ inventory: z.string() }) }),
    'query ($id: ID!) { image(id: $id) { inventory } }',
    { id: seeded.imageId },
  );
  const drafted = await running.staff.mutate('draftImage', {
    name: 'draft',
    digest: 'ab'.repeat(32),
    source: 'file:///var/lib/images/draft.tar.gz',
    inventory: image.inventory,
    services: [],
  });
  const { imageId } = drafted;
  await host.settled();
  expectRefused(
    await running.end(await running.order({ imageId })),
    'IMAGE_NOT_PUBLISHED',
    /publish/i,
  );
  expect(await running.held()).toEqual(nothing);
  // And it cannot be published before it was tested.
  expect(await running.staff.mutate('publishImage', { imageId })).toMatchObject({
    __typename: 'StateConflict',
    code: 'IMAGE_NOT_TESTED',
  });
  // Nor after a test that failed.
  const checks = [{ name: 'boots', passed: false }];
  expect(await running.staff.mutate('testImage', { imageId, checks })).toMatchObject({
    __typename: 'ImageTested',
  });
  expect(await running.staff.mutate('publishImage', { imageId })).toMatchObject({
    code: 'IMAGE_TEST_FAILED',
  });

  const held = await running.staff.mutate('placeHold', {
    accountId: seeded.customer.tenantId,
    kind: 'BILLING',
    reason: 'three invoices overdue',
  });
  expect(held.__typename).toBe('HoldPlaced');
  await host.settled();
  expectRefused(await running.end(await running.order()), 'TENANT_ON_HOLD', /hold/i);
  expect(await running.held()).toEqual(nothing);
});
