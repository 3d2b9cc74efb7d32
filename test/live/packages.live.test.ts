/**
 * Packages on a real engine: rpm in a real container does what the gateway was asked for, with files
 * of a repository that createrepo_c made. Needs `infra/dev/up lxd rpm`.
 */
import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';

import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { inside, whyNoLxd } from '../../services/agent/src/adapters/lxd/live-bench.ts';
import {
  buildRpm,
  imageWithRpm,
  whyNoRpm,
} from '../../services/agent/src/adapters/lxd/live-rpm.ts';
import { closeAll, newFolder, open, type Running } from '../e2e/installation.ts';

const TIMEOUT = 180_000;
const missing = whyNoRpm() ?? (await whyNoLxd());

afterEach(closeAll);

/** Of the seeded range, where no other test's container is. */
const ADDRESS = '10.88.31.77';

const evr = z.object({ name: z.string(), evr: z.string() });
const edges = <T extends z.ZodType>(node: T) => z.object({ edges: z.array(z.object({ node })) });

async function packagesOf({ owner }: Running, id: string) {
  const { container } = await owner.read(
    z.object({
      container: z.object({
        packages: edges(evr),
        updates: edges(z.object({ available: evr })),
        packageChanges: edges(z.object({ operation: z.object({ id: z.string() }).nullable() })),
      }),
    }),
    `query ($id: ID!) { container(id: $id) {
       packages { edges { node { name evr } } }
       updates { edges { node { available { name evr } } } }
       packageChanges { edges { node { operation { id } } } } } }`,
    { id },
  );
  const text = (one: z.output<typeof evr>): string => `${one.name} ${one.evr}`;
  return {
    packages: container.packages.edges.map(({ node }) => text(node)),
    updates: container.updates.edges.map(({ node }) => text(node.available)),
    changes: container.packageChanges.edges.map(({ node }) => node.operation?.id ?? null),
  };
}

/** A container of an image with a real rpm, and a repository that offers two versions of `sample`. */
async function world() {
  const running = await open({ nodeUrl: 'lxd+unix:' });
  const { staff } = running;
  const folder = await newFolder();
  const base = buildRpm(folder, 'base', '1.0');
  for (const version of ['1.0', '2.0']) buildRpm(folder, 'sample', version);
  const image = await imageWithRpm(folder, base);
  execFileSync('createrepo_c', ['--quiet', '--no-database', '--excludes', '.build/*', folder]);

  const { url: _url, checksum: _checksum, ...installed } = base.package;
  const list = { packages: [{ ...installed, epoch: String(installed.epoch) }] };
  expect(await staff.mutate('recordPackageList', list)).toMatchObject({
    __typename: 'PackageListRecorded',
  });
  const { inventory } = await staff.read(
    z.object({ inventory: z.object({ inventory: z.string() }) }),
    `mutation ($input: RecordPackageListInput!) {
       inventory: recordPackageList(idempotencyKey: "list", input: $input) {
         ... on PackageListRecorded { inventory } } }`,
    { input: list },
  );
  const { imageId } = await staff.mutate('draftImage', {
    ...{ ...image, inventory: inventory.inventory, services: [] },
  });
  await staff.mutate('testImage', { imageId, checks: [{ name: 'rpm runs', passed: true }] });
  await staff.mutate('publishImage', { imageId });
  const registered = await staff.mutate('registerRepository', {
    ...{ name: 'live', baseUrl: pathToFileURL(folder).href, arch: 'x86_64' },
  });
  const read = await staff.mutate('syncRepository', { repositoryId: registered.repositoryId });
  expect(read).toMatchObject({ __typename: 'RepositoryChanged' });
  const containerId = await running.running({ imageId, address: ADDRESS });
  return { running, containerId };
}

test(
  'rpm in a real container installs, upgrades and removes what is ordered, and tells what its owner did',
  async () => {
    if (missing !== undefined) {
      if (process.env['CI'] === 'true') throw new Error(missing);
      console.warn(missing);
      return;
    }
    const { running, containerId } = await world();
    const { owner } = running;
    const order = async (name: string, ...packages: readonly string[]) => {
      const ordered = await owner.mutate(name, {
        containerId,
        ...(packages.length > 0 ? { packages } : {}),
      });
      return running.end(ordered, owner);
    };
    const conf = async () =>
      (await inside(refOf(containerId), 'cat', '/etc/sample.conf')).output.trim();
    try {
      expect(await order('installPackages', 'sample-1.0')).toMatchObject({ status: 'SUCCEEDED' });
      expect(await conf()).toBe('1.0');
      expect(await packagesOf(running, containerId)).toMatchObject({
        packages: ['base 1.0-1', 'sample 1.0-1'],
        updates: ['sample 2.0-1'],
      });
      const upgraded = await order('upgradePackages');
      expect(upgraded).toMatchObject({ status: 'SUCCEEDED' });
      expect(await conf()).toBe('2.0');
      expect(await packagesOf(running, containerId)).toMatchObject({
        packages: ['base 1.0-1', 'sample 2.0-1'],
        updates: [],
      });

      // Its owner does it by hand: seen when the node is asked.
      await inside(refOf(containerId), 'rpm', '-e', 'sample');
      const refreshed = await order('refreshPackages');
      expect(refreshed).toMatchObject({ status: 'SUCCEEDED' });
      const after = await packagesOf(running, containerId);
      expect(after.packages).toEqual(['base 1.0-1']);
      expect(after.changes.slice(2)).toEqual([upgraded.id, refreshed.id]);
      expect(await order('removePackages', 'sample')).toMatchObject({
        ...{ status: 'FAILED', error: { code: 'PACKAGE_NOT_INSTALLED' } },
      });
      expect(await order('removePackages', 'base')).toMatchObject({ status: 'SUCCEEDED' });
      expect((await packagesOf(running, containerId)).packages).toEqual([]);
    } finally {
      const gone = await owner.mutate('terminateContainer', { containerId, reason: 'tested' });
      await running.end(gone, owner);
    }
  },
  TIMEOUT,
);

function refOf(containerId: string) {
  return { containerId, generation: 1, instructionId: 'ins-test' };
}
