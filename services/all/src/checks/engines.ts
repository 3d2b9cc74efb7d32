/**
 * The containers that the fake nodes' engines have, read from the files they keep: what there is,
 * whatever anybody else believes.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { readJournal } from '@bivouac/agent';

/** A container on a node. */
export interface Instance {
  /** The node's name. */
  readonly node: string;
  readonly containerId: string;
  readonly state: 'stopped' | 'running' | 'frozen';
  readonly addresses: readonly string[];
}

const ChangeSchema = z.union([
  z.object({
    put: z.object({
      containerId: z.string(),
      state: z.enum(['stopped', 'running', 'frozen']),
      network: z.object({ addresses: z.array(z.object({ address: z.string() })) }),
    }),
  }),
  z.object({ gone: z.string() }),
  z.object({ image: z.string() }),
  z.object({ boot: z.number() }),
]);

/** The instances of all nodes of a data folder. */
export async function readInstances(folder: string): Promise<Instance[]> {
  const nodes = join(folder, 'nodes');
  const instances: Instance[] = [];
  for (const node of await readdir(nodes)) {
    const there = new Map<string, Instance>();
    const file = join(nodes, node, 'engine', 'node.journal');
    for (const record of (await readJournal(file, 'fake-node/1')).records) {
      const change = ChangeSchema.parse(record);
      if ('gone' in change) there.delete(change.gone);
      if (!('put' in change)) continue;
      const { containerId, state, network } = change.put;
      const addresses = network.addresses.map(({ address }) => address);
      there.set(containerId, { node, containerId, state, addresses });
    }
    instances.push(...there.values());
  }
  return instances;
}
