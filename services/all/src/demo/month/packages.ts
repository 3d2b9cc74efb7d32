/** What a month's containers can have installed, and what they are shown to have in the end. */
import { join } from 'node:path';

import { RuntimeError } from '@bivouac/infra/runtime';
import { z } from 'zod';

import { asShown, type Instance } from '../../checks/engines.ts';
import { skelPackages } from '../../seed/skel.ts';
import type { GraphqlClient } from '../graphql.ts';
import { writeRepository } from '../repository.ts';

/** What is asked for; the last is nowhere. */
export const OFFERED = ['vim', 'git', 'tree', 'no-such-package'] as const;

/** Writes the repository's metadata, newer with each revision. */
export async function offerPackages(
  folder: string,
  revision: '1' | '2',
  written: (baseUrl: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const of = { version: `9.${revision}`, release: '1.el9' };
  const rpms = [
    ...skelPackages,
    { name: 'bash', ...of },
    { name: 'vim', ...of, requires: ['vim-data'] },
    { name: 'vim-data', ...of, arch: 'noarch' },
    { name: 'git', ...of, epoch: 1 },
    { name: 'tree', ...of },
  ];
  await written(await writeRepository(join(folder, 'repository'), rpms, revision));
}

/** The id of the only repository. */
export async function repositoryOf(staff: GraphqlClient): Promise<string> {
  const { repositories } = await staff.send(
    z.object({ repositories: z.object({ edges: z.array(z.object({ node: IdSchema })) }) }),
    '{ repositories(first: 1) { edges { node { id } } } }',
  );
  const id = repositories.edges[0]?.node.id;
  if (id === undefined) throw new RuntimeError('defect', 'there is no repository');
  return id;
}

const IdSchema = z.object({ id: z.string() });
const PackagesSchema = z.object({
  containers: z.object({
    edges: z.array(
      z.object({
        cursor: z.string(),
        node: z.object({
          ...{ id: z.string(), lifecycle: z.string() },
          packages: z.object({
            edges: z.array(z.object({ node: z.object({ name: z.string(), evr: z.string() }) })),
          }),
        }),
      }),
    ),
  }),
});

/** What each container that is there is shown to have installed. */
export async function askPackages(
  staff: GraphqlClient,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const shown = new Map<string, readonly string[]>();
  for (let after: string | null = null; ;) {
    const { containers }: z.output<typeof PackagesSchema> = await staff.send(
      PackagesSchema,
      `query ($after: String) { containers(first: 20, after: $after) { edges { cursor node {
        id lifecycle packages(first: 100) { edges { node { name evr } } } } } } }`,
      { after },
    );
    for (const { node } of containers.edges) {
      if (!THERE.includes(node.lifecycle)) continue;
      shown.set(
        node.id,
        node.packages.edges.map((edge) => `${edge.node.name} ${edge.node.evr}`),
      );
    }
    const last = containers.edges.at(-1);
    if (last === undefined) return shown;
    after = last.cursor;
  }
}

const THERE: readonly string[] = ['RUNNING', 'STOPPED', 'FROZEN'];

/** Containers that have other packages on their node than they are shown to have. */
export function packageViolations(
  shown: ReadonlyMap<string, readonly string[]>,
  instances: readonly Instance[],
): Readonly<Record<string, readonly string[]>> {
  const ofImage = skelPackages.map(asShown);
  const there = new Map(instances.map((one) => [one.containerId, one.packages ?? ofImage]));
  return {
    'what is shown as installed is installed': [...shown].flatMap(([containerId, packages]) => {
      const [says, has] = [packages, there.get(containerId) ?? []].map((list) =>
        [...list].sort().join(', '),
      );
      return says === has
        ? []
        : [`${containerId} is shown with ${says ?? ''} and has ${has ?? ''}`];
    }),
  };
}
