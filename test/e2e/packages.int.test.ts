/** Packages through the gateway: from a repository's metadata to what a container has installed. */
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';

import { skelPackages } from '../../services/all/src/seed/skel.ts';
import { closeAll, newFolder, open, type Running } from './installation.ts';
import { type Rpm, writeRepository } from './repository.ts';

afterEach(closeAll);

const el9 = { release: '1.el9' };
const offers: readonly Rpm[] = [
  ...skelPackages.map((one) => (one.name === 'httpd' ? { ...one, requires: ['openssl'] } : one)),
  { name: 'bash', version: '5.2.15', ...el9, files: ['/usr/bin/bash'] },
  {
    name: 'vim',
    epoch: 2,
    version: '9.1',
    ...el9,
    requires: ['vim-data'],
    files: ['/usr/bin/vim'],
  },
  { name: 'vim-data', epoch: 2, version: '9.1', ...el9, arch: 'noarch' },
  { name: 'broken', version: '1.0', ...el9, requires: ['nobody-has-this'] },
];

/** An installation with a container that runs and a repository that was read. */
async function world() {
  const running = await open();
  const folder = join(await newFolder(), 'repository');
  const baseUrl = await writeRepository(folder, offers);
  const { staff } = running;
  const registered = await staff.mutate('registerRepository', {
    ...{ name: 'el9-test', baseUrl, arch: 'x86_64' },
  });
  expect(registered.__typename).toBe('RepositoryChanged');
  const repositoryId = registered.repositoryId ?? '';
  const read = await staff.mutate('syncRepository', { repositoryId });
  expect(read.__typename).toBe('RepositoryChanged');
  const containerId = await running.running();
  return { running, folder, repositoryId, containerId };
}

const evr = z.object({ name: z.string(), evr: z.string() });
const nodes = <T extends z.ZodType>(node: T) => z.object({ edges: z.array(z.object({ node })) });
const text = ({ name, evr: version }: z.output<typeof evr>): string => `${name} ${version}`;

async function packagesOf({ owner }: Running, containerId: string) {
  const { container } = await owner.read(
    z.object({
      container: z.object({
        packages: nodes(evr),
        updates: nodes(z.object({ installed: evr, available: evr, repository: z.string() })),
        packageChanges: nodes(
          z.object({
            operation: z.object({ id: z.string() }).nullable(),
            added: z.array(evr),
            removed: z.array(evr),
          }),
        ),
      }),
    }),
    `query ($id: ID!) { container(id: $id) {
      packages(first: 100) { edges { node { name evr } } }
      updates { edges { node { installed { name evr } available { name evr } repository } } }
      packageChanges { edges { node { operation { id } added { name evr } removed { name evr } } } }
    } }`,
    { id: containerId },
  );
  return {
    packages: container.packages.edges.map(({ node }) => text(node)),
    updates: container.updates.edges.map(
      ({ node }) => `${text(node.installed)} to ${text(node.available)} of ${node.repository}`,
    ),
    changes: container.packageChanges.edges.map(({ node }) => ({
      operation: node.operation?.id ?? null,
      added: node.added.map(text),
      removed: node.removed.map(text),
    })),
  };
}

async function transactionOf({ owner }: Running, id: string) {
  const list = z.array(evr);
  const { operation } = await owner.read(
    z.object({
      operation: z.object({
        packageTransaction: z.object({
          ...{ install: list, upgrade: list, remove: list },
          report: z.object({ added: list, removed: list }).nullable(),
        }),
      }),
    }),
    `query ($id: ID!) { operation(id: $id) { packageTransaction {
      install { name evr } upgrade { name evr } remove { name evr }
      report { added { name evr } removed { name evr } } } } }`,
    { id },
  );
  const { install, upgrade, remove, report } = operation.packageTransaction;
  return {
    install: install.map(text),
    upgrade: upgrade.map(text),
    remove: remove.map(text),
    added: report?.added.map(text),
    removed: report?.removed.map(text),
  };
}

describe('packages of a container', () => {
  test('are installed with what they require, upgraded and removed, and each change is on record', async () => {
    const { running, containerId } = await world();
    const { owner } = running;
    const before = await packagesOf(running, containerId);
    expect(before.packages).toHaveLength(skelPackages.length);
    expect(before.updates).toEqual(['bash 5.1.8-9.el9 to bash 5.2.15-1.el9 of el9-test']);

    const installed = await owner.mutate('installPackages', { containerId, packages: ['vim'] });
    expect(await running.end(installed, owner)).toMatchObject({ status: 'SUCCEEDED' });
    const vim = ['vim 2:9.1-1.el9', 'vim-data 2:9.1-1.el9'];
    expect(await transactionOf(running, installed.operationId ?? '')).toEqual({
      ...{ install: vim, upgrade: [], remove: [], added: vim, removed: [] },
    });
    expect((await packagesOf(running, containerId)).packages).toEqual(
      [...before.packages, ...vim].sort(),
    );

    const upgraded = await owner.mutate('upgradePackages', { containerId });
    expect(await running.end(upgraded, owner)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await transactionOf(running, upgraded.operationId ?? '')).toMatchObject({
      upgrade: ['bash 5.2.15-1.el9'],
      removed: ['bash 5.1.8-9.el9'],
    });

    const removed = await owner.mutate('removePackages', { containerId, packages: ['vim'] });
    expect(await running.end(removed, owner)).toMatchObject({ status: 'SUCCEEDED' });
    const after = await packagesOf(running, containerId);
    expect(after.updates).toEqual([]);
    expect(after.packages).toEqual([
      'bash 5.2.15-1.el9',
      ...[...before.packages.slice(1), 'vim-data 2:9.1-1.el9'].sort(),
    ]);
    expect(after.changes).toEqual([
      { operation: null, added: [], removed: [] },
      { operation: installed.operationId, added: vim, removed: [] },
      {
        operation: upgraded.operationId,
        added: ['bash 5.2.15-1.el9'],
        removed: ['bash 5.1.8-9.el9'],
      },
      { operation: removed.operationId, added: [], removed: ['vim 2:9.1-1.el9'] },
    ]);
  });

  test('stay as they are where an order cannot be done, and the operation says why', async () => {
    const { running, containerId, folder } = await world();
    const { owner } = running;
    const { packages } = await packagesOf(running, containerId);
    for (const [name, named, code] of [
      ['installPackages', ['no-such-package'], 'PACKAGE_UNKNOWN'],
      ['installPackages', ['broken'], 'DEPENDENCY_UNRESOLVED'],
      ['installPackages', ['glibc'], 'NOTHING_TO_DO'],
      ['removePackages', ['vim'], 'PACKAGE_NOT_INSTALLED'],
      ['removePackages', ['openssl'], 'PACKAGE_REQUIRED_BY'],
    ] as const) {
      const ordered = await owner.mutate(name, { containerId, packages: named });
      expect(await running.end(ordered, owner)).toMatchObject({
        status: 'FAILED',
        error: { code },
      });
    }
    // The metadata was right when it was read; the file is another one now.
    await writeRepository(folder, []);
    const gone = await owner.mutate('installPackages', { containerId, packages: ['vim'] });
    expect(await running.end(gone, owner)).toMatchObject({
      status: 'FAILED',
      error: { code: 'PACKAGES_NOT_CHANGED', message: expect.stringContaining('vim-') },
    });
    expect((await packagesOf(running, containerId)).packages).toEqual(packages);
    const none = await owner.mutate('installPackages', { containerId, packages: [] });
    expect(none).toMatchObject({ code: 'INVALID_INPUT', path: ['input', 'packages'] });
  });

  test('are looked at again when asked, and nothing changes by that', async () => {
    const { running, containerId } = await world();
    const { owner } = running;
    const { packages } = await packagesOf(running, containerId);
    const looked = await owner.mutate('refreshPackages', { containerId });
    expect(await running.end(looked, owner)).toMatchObject({ status: 'SUCCEEDED' });
    expect((await packagesOf(running, containerId)).packages).toEqual(packages);
  });

  test('are found by name, by version and by file', async () => {
    const { running, containerId } = await world();
    const found = await running.owner.read(
      z.object({
        old: nodes(z.object({ containerId: z.string(), packages: z.array(evr) })),
        newer: nodes(z.object({ containerId: z.string() })),
        owners: nodes(evr),
        shells: nodes(evr.extend({ containers: nodes(z.object({ containerId: z.string() })) })),
      }),
      `{ old: containersWithPackage(name: "bash", lessThanEvr: "5.2") {
           edges { node { containerId packages { name evr } } } }
         newer: containersWithPackage(name: "bash", lessThanEvr: "5.1") {
           edges { node { containerId } } }
         owners: packagesWithFile(path: "/usr/bin/vim") { edges { node { name evr } } }
         shells: packagesWithFile(path: "/usr/bin/bash") { edges { node { name evr
           containers(older: true) { edges { node { containerId } } } } } } }`,
    );
    expect(found.old.edges.map(({ node }) => node)).toEqual([
      { containerId, packages: [{ name: 'bash', evr: '5.1.8-9.el9' }] },
    ]);
    expect(found.newer.edges).toEqual([]);
    expect(found.shells.edges.map(({ node }) => node.containers.edges)).toEqual([
      [{ node: { containerId } }],
    ]);
    expect(found.owners.edges.map(({ node }) => text(node))).toEqual(['vim 2:9.1-1.el9']);
  });
});

describe('a repository', () => {
  test('is the staff’s to register and read; its place is nobody else’s to see', async () => {
    const { running, repositoryId } = await world();
    const { owner, staff } = running;
    const seen = z.object({
      repository: z.object({
        baseUrl: z.string().nullable(),
        snapshot: z.object({ packages: z.number(), revision: z.string() }),
        packages: nodes(evr).extend({ total: z.number() }),
      }),
    });
    const document = `query ($id: ID!) { repository(id: $id) { baseUrl
      snapshot { packages revision }
      packages(namePrefix: "vim", arch: "noarch") { total edges { node { name evr } } } } }`;
    const asOwner = await owner.read(seen, document, { id: repositoryId });
    expect(asOwner.repository).toMatchObject({
      baseUrl: null,
      snapshot: { packages: offers.length, revision: '1' },
      packages: { total: 1, edges: [{ node: { name: 'vim-data' } }] },
    });
    const asStaff = await staff.read(seen, document, { id: repositoryId });
    expect(asStaff.repository.baseUrl).toMatch(/^file:/);
    for (const [name, input] of [
      ['syncRepository', { repositoryId }],
      ['disableRepository', { repositoryId }],
      ['registerRepository', { name: 'mine', baseUrl: 'https://x.example/', arch: 'x86_64' }],
    ] as const)
      expect(await owner.mutate(name, input)).toMatchObject({ __typename: 'NotAllowed' });
    const elsewhere = { name: 'el9-test', baseUrl: 'https://x.example/', arch: 'x86_64' };
    expect(await staff.mutate('registerRepository', elsewhere)).toMatchObject({
      code: 'REPOSITORY_EXISTS',
    });
    const plain = { ...elsewhere, name: 'other', baseUrl: 'http://x.example/' };
    expect(await staff.mutate('registerRepository', plain)).toMatchObject({
      code: 'INVALID_INPUT',
      path: ['input', 'baseUrl'],
    });
  });

  test('is named by no answer and no event that its users see, also where its files are gone', async () => {
    const { running, folder, containerId } = await world();
    const { owner, staff } = running;
    const order = async (name: string) =>
      running.end(await owner.mutate('installPackages', { containerId, packages: [name] }), owner);
    expect(await order('bash')).toMatchObject({ status: 'SUCCEEDED' });
    const files = await readdir(folder);
    await Promise.all(
      files.filter((one) => one.endsWith('.rpm')).map((one) => rm(join(folder, one))),
    );
    const refused = await order('vim');
    expect(refused).toMatchObject({ error: { code: 'PACKAGES_NOT_CHANGED' } });
    expect(refused.error?.message).toMatch(/vim.*cannot be had/);

    const document = `query ($object: String!, $id: ID!) {
      operations(last: 10) { edges { node { error { message } steps { refusal { message } }
        history(first: 100) { edges { node { data } } } } } }
      container(id: $id) { history(first: 100) { edges { node { data } } } }
      auditEvents(filter: { object: $object }, first: 100) { edges { node { data } } } }`;
    const ask = async (of: typeof owner) =>
      JSON.stringify(
        await of.read(z.unknown(), document, { object: containerId, id: containerId }),
      );
    expect(await ask(owner)).toContain('cannot be had');
    expect(await ask(owner)).not.toContain(folder);
    // The staff, who may know it, find it there: so it is looked for where it is.
    expect(await ask(staff)).toContain(folder);
  });

  test('read again is in force at once, damaged or gone it stays as it was, disabled it offers nothing', async () => {
    const { running, repositoryId, folder, containerId } = await world();
    const { owner, staff } = running;
    const same = await staff.mutate('syncRepository', { repositoryId });
    expect(same).toMatchObject({ __typename: 'RepositoryChanged', position: null });
    await writeRepository(folder, [...offers, { name: 'emacs', version: '29', ...el9 }], '2');
    const install = async () => {
      const ordered = await owner.mutate('installPackages', { containerId, packages: ['emacs'] });
      return running.end(ordered, owner);
    };
    expect(await install()).toMatchObject({ error: { code: 'PACKAGE_UNKNOWN' } });
    expect((await staff.mutate('syncRepository', { repositoryId })).position).toEqual(
      expect.any(String),
    );
    await staff.mutate('disableRepository', { repositoryId });
    expect(await install()).toMatchObject({ error: { code: 'PACKAGE_UNKNOWN' } });
    await staff.mutate('enableRepository', { repositoryId });
    expect(await install()).toMatchObject({ status: 'SUCCEEDED' });
    await rename(folder, `${folder}-away`);
    expect(await staff.mutate('syncRepository', { repositoryId })).toMatchObject({
      ...{ __typename: 'Unavailable', code: 'REPOSITORY_UNREACHABLE' },
    });
    const { repository } = await owner.read(
      z.object({ repository: z.object({ snapshot: z.object({ revision: z.string() }) }) }),
      `query ($id: ID!) { repository(id: $id) { snapshot { revision } } }`,
      { id: repositoryId },
    );
    expect(repository.snapshot.revision).toBe('2');
  });
});
