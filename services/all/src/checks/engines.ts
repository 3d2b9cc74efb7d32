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
  /** Names with versions; absent: those of its image, never changed. */
  readonly packages?: readonly string[] | undefined;
}

const ChangeSchema = z.union([
  z.object({
    put: z.object({
      containerId: z.string(),
      state: z.enum(['stopped', 'running', 'frozen']),
      packages: z
        .array(
          z.object({
            ...{ name: z.string(), epoch: z.number(), version: z.string(), release: z.string() },
          }),
        )
        .optional(),
      network: z.object({ addresses: z.array(z.object({ address: z.string() })) }),
    }),
  }),
  z.object({ gone: z.string() }),
  z.object({ image: z.string() }),
  z.object({ boot: z.number() }),
]);

/** A package as it is shown: its name and its version. */
export function asShown(one: {
  readonly name: string;
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
}): string {
  const { name, epoch, version, release } = one;
  return `${name} ${epoch === 0 ? '' : `${epoch}:`}${version}-${release}`;
}

/** The instances of all nodes of a data folder. */
export async function readInstances(folder: string): Promise<Instance[]> {
  const nodes = join(folder, 'nodes');
  const instances: Instance[] = [];
  for (const node of await readdir(nodes)) {
    const file = join(nodes, node, 'engine', 'node.journal');
    instances.push(...instancesOf(node, (await readJournal(file, FAKE_NODE)).records));
  }
  return instances;
}

/** What kind the journals of fake nodes are of. */
export const FAKE_NODE = 'fake-node/1';

/** The instances of one node, by what its journal has recorded. */
export function instancesOf(node: string, records: readonly unknown[]): Instance[] {
  const there = new Map<string, Instance>();
  for (const record of records) {
    const change = ChangeSchema.parse(record);
    if ('gone' in change) there.delete(change.gone);
    if (!('put' in change)) continue;
    const { containerId, state, network } = change.put;
    const packages = change.put.packages?.map(asShown);
    const addresses = network.addresses.map(({ address }) => address);
    there.set(containerId, { node, containerId, state, addresses, packages });
  }
  return [...there.values()];
}
