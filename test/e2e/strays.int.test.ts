/** Instances that a lost log leaves on a node: seen as nobody's, and destroyed when staff say so. */
import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { closeAll, newFolder, open } from './installation.ts';

afterEach(closeAll);

const Strays = z.object({
  strayInstances: z.object({
    edges: z.array(
      z.object({
        node: z.object({
          containerId: z.string(),
          why: z.string(),
          node: z.object({ id: z.string() }),
          destruction: z.object({ outcome: z.string().nullable() }).nullable(),
        }),
      }),
    ),
  }),
});
const document = `{ strayInstances { edges { node {
  containerId why node { id } destruction { outcome } } } } }`;

test('a stray is destroyed by its node, with all it took there', async () => {
  const lost = await open();
  const containerId = await lost.running();
  await lost.quiet();
  await lost.stop();
  const folder = await newFolder();
  // The engine as it was; the log that its node was registered in is lost.
  await cp(join(lost.folder, 'nodes'), join(folder, 'nodes'), {
    recursive: true,
    filter: (file) => basename(file) !== 'node.json',
  });

  const running = await open({ folder, now: lost.clock.now() });
  await running.quiet();
  const { strayInstances } = await running.staff.read(Strays, document);
  expect(strayInstances.edges).toMatchObject([
    { node: { containerId, why: 'UNKNOWN', destruction: null } },
  ]);
  expect(await running.installation.nodes.instances()).toBe(1);
  const nodeId = strayInstances.edges[0]?.node.node.id;
  const order = { nodeId, containerId, reason: 'its log is lost' };
  expect(await running.owner.mutate('destroyStray', order)).toMatchObject({
    __typename: 'NotAllowed',
  });
  expect(await running.staff.mutate('destroyStray', order)).toMatchObject({
    __typename: 'StrayDestructionOrdered',
  });
  await running.quiet();
  expect(await running.installation.nodes.instances()).toBe(0);
  expect(await running.staff.read(Strays, document)).toEqual({ strayInstances: { edges: [] } });
  expect(await running.staff.mutate('destroyStray', order)).toMatchObject({
    ...{ __typename: 'NotFound', code: 'STRAY_UNKNOWN' },
  });
});
