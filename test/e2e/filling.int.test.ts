/**
 * A pool and a node filled container by container: the order that finds them full ends with a code of
 * its own and leaves nothing, and what a termination gives back is there for the next.
 */
import { afterEach, expect, test } from '@jest/globals';

import { closeAll, type Ended, nothing, open, type Running } from './installation.ts';

afterEach(closeAll);

const COOL_DOWN_SECONDS = 3600;

/** What so many containers hold, each of them with one address. */
function heldBy(containers: number): Record<string, unknown> {
  return {
    leases: containers,
    placements: containers,
    rosterEntries: containers,
    openCharges: containers,
    instances: containers,
    unansweredInstructions: 0,
    ...(containers === 0
      ? {}
      : {
          'reserved containers': containers,
          'reserved cpuMillis': containers * 1000,
          'reserved memoryBytes': containers * 2 ** 30,
          'reserved diskBytes': containers * 4 * 2 ** 30,
          'reserved addresses': containers,
        }),
  };
}

async function refusedWith(running: Running, ended: Ended, code: string): Promise<void> {
  expect(ended).toMatchObject({ status: 'FAILED', error: { code } });
  // What found no room was never a container.
  expect(await running.knows(ended.targetId)).toBe(false);
}

async function terminate(running: Running, containerId: string): Promise<void> {
  const input = { containerId, reason: 'moved away' };
  const ended = await running.end(await running.owner.mutate('terminateContainer', input));
  expect(ended).toMatchObject({ status: 'SUCCEEDED', error: null });
}

test('a pool is filled to its last address; one given back rests before the next order gets it', async () => {
  const running = await open();
  const range = await running.staff.mutate('registerAddressRange', {
    cidr: '2001:db8:7::/126',
    location: 'local',
    // The subnet-router anycast address is nobody's (RFC 4291, 2.6.1).
    reserved: [0],
    coolDownSeconds: COOL_DOWN_SECONDS,
  });
  expect(range.__typename).toBe('AddressRangeRegistered');
  await running.installation.host.settled();
  const addressed: { readonly id: string; readonly address: string }[] = [];
  for (let n = 0; n < 3; n++) {
    const id = await running.running({ family: 'IPV6', hostname: `v6-${n}.example.com` });
    const { addresses } = await running.container(id);
    expect(addresses).toHaveLength(1);
    addressed.push({ id, address: addresses[0]?.address ?? '' });
  }
  expect(addressed.map(({ address }) => address)).toEqual([
    '2001:db8:7::1',
    '2001:db8:7::2',
    '2001:db8:7::3',
  ]);
  expect(await running.held()).toEqual(heldBy(3));

  const order = async (): Promise<Ended> => running.end(await running.order({ family: 'IPV6' }));
  const tooMany = await order();
  await refusedWith(running, tooMany, 'POOL_FULL');
  expect(tooMany.error?.message).toContain('1 asked for, 0 free');
  expect(await running.held()).toEqual(heldBy(3));

  const [, middle] = addressed;
  if (middle === undefined) throw new Error('there was no second container');
  const releasedAt = running.clock.now();
  await terminate(running, middle.id);
  await running.quiet();
  expect(await running.held()).toEqual(heldBy(2));

  // Free by the count, but still resting: also in its last millisecond.
  const atOnce = await order();
  await refusedWith(running, atOnce, 'POOL_FULL');
  expect(atOnce.error?.message).toContain('1 free, perhaps still resting');
  running.clock.moveTo(releasedAt + COOL_DOWN_SECONDS * 1000 - 1);
  await refusedWith(running, await order(), 'POOL_FULL');
  expect(await running.held()).toEqual(heldBy(2));

  running.clock.advance(1);
  const rested = await order();
  expect(rested).toMatchObject({ status: 'SUCCEEDED', error: null });
  expect(await running.container(rested.targetId)).toMatchObject({
    lifecycle: 'RUNNING',
    addresses: [{ address: middle.address }],
  });
  await refusedWith(running, await order(), 'POOL_FULL');
  expect(await running.held()).toEqual(heldBy(3));
});

test('a node is filled to its last place; the room of a terminated container is the next one', async () => {
  const running = await open({ nodeUrl: 'fake:?memory=3GiB' });
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) {
    ids.push(await running.running({ hostname: `vps${n}.example.com` }));
  }
  expect(await running.held()).toEqual(heldBy(3));
  const tooMany = await running.end(await running.order());
  await refusedWith(running, tooMany, 'NO_NODE_WITH_ROOM');
  expect(tooMany.error?.message).toContain('too little memoryBytes');
  expect(await running.held()).toEqual(heldBy(3));

  await terminate(running, ids[1] ?? '');
  await running.quiet();
  expect(await running.held()).toEqual(heldBy(2));
  ids[1] = await running.running({ hostname: 'next.example.com' });
  await refusedWith(running, await running.end(await running.order()), 'NO_NODE_WITH_ROOM');

  for (const id of ids) await terminate(running, id);
  await running.quiet();
  expect(await running.held()).toEqual(nothing);
});
