/** An agent that takes the place of the one that an installation runs for its only node, over the socket. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';

import {
  type Agent,
  dialing,
  enteringAs,
  openIdentity,
  openNode,
  startAgent,
} from '@bivouac/agent';
import { systemClock } from '@bivouac/infra/runtime';

import { newFolder, type Running } from '../e2e/installation.ts';

/** Resolves when it is connected; the one before it is shown out then. */
export async function agentInstead({ installation, folder: data }: Running): Promise<Agent> {
  const { list, endpoint = '' } = installation.nodes;
  const folder = await newFolder();
  await cp(join(data, 'nodes', list[0]?.name ?? '', 'identity'), join(folder, 'identity'), {
    recursive: true,
  });
  const identity = await openIdentity({ folder: join(folder, 'identity') });
  const { nodeId } = identity;
  return startAgent({
    ...{ nodeId, clock: systemClock, random: Math.random, log: () => undefined },
    ...(await openNode({ url: 'fake:', name: nodeId, folder, clock: systemClock })),
    connect: enteringAs(identity, dialing({ url: endpoint, clock: systemClock })),
  });
}
