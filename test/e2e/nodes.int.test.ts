/** Nodes that refuse, crash and lose replies: an order is whole or undone, never half or twice. */
import { setImmediate } from 'node:timers/promises';

import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { closeAll, nothing, open } from './installation.ts';

afterEach(closeAll);

test('a node that refuses to create: the order is undone, nothing is left over, nothing charged', async () => {
  const running = await open({ nodeUrl: 'fake:?refuse=create:1' });
  const ended = await running.end(await running.order());
  expect(ended).toMatchObject({ status: 'FAILED', error: { code: 'NODE_FAILED' } });
  expect(await running.held()).toEqual(nothing);
  expect(await running.container(ended.targetId)).toMatchObject({
    lifecycle: 'FAILED',
    runningSince: null,
  });
});

test('a node that makes it and cannot start it: the instance is destroyed again', async () => {
  const running = await open({ nodeUrl: 'fake:?refuse=start:1' });
  const ended = await running.end(await running.order());
  expect(ended).toMatchObject({ status: 'FAILED', error: { code: 'NODE_FAILED' } });
  expect(await running.held()).toEqual(nothing);
});

test('a node that fails now and then is asked again: each order succeeds with one instance', async () => {
  const running = await open({ nodeUrl: 'fake:?fail=create:0.3,start:0.3&seed=5' });
  const accepted = await Promise.all(
    Array.from({ length: 6 }, (_, n) => running.order({ hostname: `vps${n}.example.com` })),
  );
  for (const answer of accepted)
    expect(await running.end(answer)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await running.held()).toMatchObject({ instances: 6, openCharges: 6, leases: 6 });
});

test('lost replies make exactly one instance each, charged once', async () => {
  const running = await open({ nodeUrl: 'fake:?lose=create:0.3,start:0.3&seed=3' });
  const accepted = await Promise.all(
    Array.from({ length: 6 }, (_, n) => running.order({ hostname: `vps${n}.example.com` })),
  );
  for (const answer of accepted)
    expect(await running.end(answer)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await running.held()).toMatchObject({ instances: 6, openCharges: 6, leases: 6 });
});

for (const when of ['crash-before', 'crash-after'] as const) {
  test(`an agent that dies (${when} the effect) goes on when it is back: one instance`, async () => {
    const dying = await open({ nodeUrl: `fake:?${when}=create:1` });
    const accepted = await dying.order();
    // The engine is away from the crash on: whoever looks hears so.
    while (await dying.installation.nodes.instances().then(alive, dead)) await setImmediate();
    await dying.stop();

    const { folder, clock } = dying;
    const running = await open({ folder, now: clock.now() + 1000 });
    expect(await running.end(accepted)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await running.held()).toMatchObject({
      instances: 1,
      openCharges: 1,
      leases: 1,
      placements: 1,
      'reserved containers': 1,
    });
  });
}

test('an order gets a node with the labels it asks for, or says that there is none', async () => {
  const running = await open();
  const { nodes } = await running.staff.read(
    z.object({
      nodes: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }),
    }),
    '{ nodes { edges { node { id } } } }',
  );
  const nodeId = nodes.edges[0]?.node.id;
  expect(await running.staff.mutate('labelNode', { nodeId, labels: ['ssd'] })).toMatchObject({
    __typename: 'NodeLabelled',
  });
  await running.installation.host.settled();
  expect(await running.end(await running.order({ labels: ['ssd'] }))).toMatchObject({
    status: 'SUCCEEDED',
  });
  const other = await running.order({ hostname: 'web2.example.com', labels: ['ssd', 'gold'] });
  expect(await running.end(other)).toMatchObject({
    status: 'FAILED',
    error: { code: 'NO_NODE_WITH_ROOM', message: expect.stringContaining('ssd, gold') },
  });
});

test('a node that never answers: the order ends when its time is over, and nothing is left', async () => {
  const dying = await open({ nodeUrl: 'fake:?crash-after=create:1' });
  const accepted = await dying.order();
  while (await dying.installation.nodes.instances().then(alive, dead)) await setImmediate();
  // Past every deadline of the build; what it made is destroyed when the node is back.
  dying.clock.advance(3_600_000);
  await dying.installation.host.settled();
  await dying.stop();

  const running = await open({ folder: dying.folder, now: dying.clock.now() + 1000 });
  const ended = await running.end(accepted);
  expect(ended.status).toBe('FAILED');
  expect(ended.error?.message).toMatch(/time/);
  expect(await running.held()).toEqual(nothing);
});

const alive = (): boolean => true;
const dead = (): boolean => false;
