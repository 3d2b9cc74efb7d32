/** Repositories read, orders resolved against them, and what nodes say followed. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { deriveId } from '@bivouac/events/values';

import {
  DisableRepository,
  EnableRepository,
  PackageChangesOfContainer,
  PackagesOfContainer,
  PackagesOfRepository,
  PackagesWithFile,
  PackageTransactionOfOperation,
  RecordPackageList,
  RegisterRepository,
  Repositories,
  SyncRepository,
  UpdatesOfContainer,
} from './api/index.ts';
import { memorySource, sampleBase, sampleFiles } from './sample-source.ts';
import { closeAll, customerOf, later, newWorld, pkg, time } from './sample-world.ts';

afterEach(closeAll);

const tenantId = deriveId('tenant', 'customer');
const stranger = deriveId('tenant', 'stranger');
const containerId = deriveId('container', 'web1');
const page = { limit: 100 };
const noarch = { arch: 'noarch', release: '1' };
const hello = pkg('hello', '1.0', noarch);
const libhello = pkg('libhello', '1.0', noarch);

/** A world with the sample repository, registered and (unless told) read. */
async function withRepository(files = sampleFiles(), read = true) {
  const world = await newWorld(memorySource(files));
  const registered = await world.command(RegisterRepository, {
    ...{ name: 'sample', baseUrl: sampleBase, arch: 'x86_64' },
  });
  if (!registered.ok) throw new Error(registered.refusal.code);
  const { repositoryId } = registered.result;
  if (read) {
    const synced = await world.command(SyncRepository, { repositoryId });
    if (!synced.ok) throw new Error(synced.refusal.message);
  }
  return { ...world, repositoryId, files };
}

/** With a container that runs and has these installed. */
async function withContainer(installed = [hello, libhello], read = true) {
  const world = await withRepository(sampleFiles(), read);
  const list = await world.command(RecordPackageList, { packages: installed });
  if (!list.ok) throw new Error(list.refusal.code);
  await world.runs(tenantId, containerId, list.result.inventory);
  await world.query(PackagesOfContainer, { containerId, page });
  let orders = 0;
  const order = (action: string, ...packages: readonly string[]) =>
    world.asks(tenantId, String(++orders), { containerId, action, packages });
  return { ...world, inventory: list.result.inventory, order };
}

describe('a repository', () => {
  it('is registered once under its name', async () => {
    const world = await withRepository();
    const same = { name: 'sample', baseUrl: sampleBase, arch: 'x86_64' };
    expect(await world.command(RegisterRepository, same)).toMatchObject({
      result: { repositoryId: world.repositoryId },
      position: undefined,
    });
    const other = { ...same, baseUrl: 'https://other.example/' };
    expect(await world.command(RegisterRepository, other)).toMatchObject({
      refusal: { code: 'REPOSITORY_EXISTS', path: ['input', 'name'] },
    });
  });

  it.each([
    'http://mirror.example/',
    'ftp://mirror.example/',
    'https://user:secret@mirror.example/',
    'https://mirror.example/?a',
    'file://server/share',
    '/srv/repository',
  ])('is not registered at %s', async (baseUrl) => {
    const world = await newWorld();
    const input = { name: 'sample', baseUrl, arch: 'x86_64' };
    expect(await world.command(RegisterRepository, input)).toMatchObject({
      refusal: { code: 'INVALID_INPUT', path: ['baseUrl'] },
    });
  });

  it('that was read is one event with a blob, and read again none', async () => {
    const world = await withRepository();
    const again = await world.command(SyncRepository, { repositoryId: world.repositoryId });
    expect(again).toMatchObject({ result: { snapshot: null, count: null }, position: undefined });
    const events = await world.eventsOf(`repository-${world.repositoryId}`);
    expect(events.map(({ type }) => type)).toEqual([
      'packages.RepositoryRegistered',
      'packages.RepositorySnapshotRecorded',
    ]);
    expect(events[1]?.data).toMatchObject({ revision: '1', count: 13 });
    const lines = Buffer.from((await world.blobs.get(String(events[1]?.data['snapshot']))) ?? []);
    expect(lines.toString().trim().split('\n')).toHaveLength(13);
    const [listed] = (await world.query(Repositories, { page }, customerOf(tenantId))).items;
    expect(listed?.node).toMatchObject({
      ...{ name: 'sample', baseUrl: null, enabled: true },
      snapshot: { revision: '1', packages: 13, readAt: time },
    });
  });

  it('that cannot be read records nothing, and the last snapshot stays in force', async () => {
    const { files, repositoryId, ...world } = await withRepository();
    const before = await world.eventsOf(`repository-${repositoryId}`);
    const repomd = files.get('repodata/repomd.xml') ?? new Uint8Array();
    for (const [content, code] of [
      [Buffer.from('<repomd'), 'REPODATA_CORRUPT'],
      [
        Buffer.from(Buffer.from(repomd).toString().replaceAll('sha256', 'md5')),
        'REPODATA_UNSUPPORTED',
      ],
      [Buffer.alloc(2 * 1024 * 1024), 'REPODATA_TOO_LARGE'],
      [undefined, 'REPOSITORY_UNREACHABLE'],
    ] as const) {
      if (content === undefined) files.delete('repodata/repomd.xml');
      else files.set('repodata/repomd.xml', content);
      expect(await world.command(SyncRepository, { repositoryId })).toMatchObject({
        refusal: { code, path: ['input', 'repositoryId'] },
      });
    }
    expect(await world.eventsOf(`repository-${repositoryId}`)).toEqual(before);
    const offered = await world.query(PackagesOfRepository, { repositoryId, page });
    expect(offered?.total).toBe(13);
  });

  it('is listed by the beginning of names, page by page, and asked for owners of files', async () => {
    const { repositoryId, ...world } = await withRepository();
    const found = await world.query(PackagesOfRepository, {
      ...{ repositoryId, namePrefix: 'hel', page: { limit: 1 } },
    });
    expect(found).toMatchObject({ total: 2, hasNext: true });
    expect(found?.items.map(({ node }) => `${node.name} ${node.evr}`)).toEqual(['hello 1.0-1']);
    const next = await world.query(PackagesOfRepository, {
      ...{ repositoryId, namePrefix: 'hel', page: { limit: 9, after: found?.items[0]?.cursor } },
    });
    expect(next?.items.map(({ node }) => node.evr)).toEqual(['2.0-1']);
    const owners = await world.query(PackagesWithFile, { path: '/usr/bin/tool', page });
    expect(owners.items.map(({ node }) => node.name)).toEqual(['newname', 'oldname']);
    const newest = await world.query(PackagesWithFile, { path: '/usr/bin/hello', page });
    expect(newest.items.map(({ node }) => `${node.name} ${node.evr}`)).toEqual(['hello 2.0-1']);
    expect((await world.query(PackagesWithFile, { path: '/hello', page })).items).toEqual([]);
  });

  it('that nobody registered is refused, and unknown to queries', async () => {
    const world = await newWorld();
    const repositoryId = deriveId('repository', 'none');
    for (const contract of [SyncRepository, EnableRepository, DisableRepository])
      expect(await world.command(contract, { repositoryId })).toMatchObject({
        refusal: { code: expect.stringMatching(/^(REPOSITORY_UNKNOWN|NOT_FOUND)$/) },
      });
    expect(await world.query(PackagesOfRepository, { repositoryId, page })).toBeNull();
  });
});

describe('an order', () => {
  it('comes to exact packages, with where they are and what they hash to', async () => {
    const { order, ...world } = await withContainer();
    const { operationId, answer } = await order('upgrade');
    const named = { epoch: 0, version: '2.0', ...noarch };
    const upgrade = ['hello', 'libhello'].map((name) => ({
      ...{ name, ...named, url: `${sampleBase}${name}-2.0-1.noarch.rpm` },
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
    }));
    expect(answer).toMatchObject({
      outcome: 'done',
      result: { transaction: { install: [], upgrade, remove: [] } },
    });
    const shown = await world.query(
      PackageTransactionOfOperation,
      { operationId },
      customerOf(tenantId),
    );
    expect(shown).toMatchObject({ upgrade: [{ name: 'hello', evr: '2.0-1' }, {}], report: null });
    const foreign = { operationId };
    expect(
      await world.query(PackageTransactionOfOperation, foreign, customerOf(stranger)),
    ).toBeNull();
  });

  it('is refused with why, and takes nothing from what is disabled or was never read', async () => {
    const { order, repositoryId, ...world } = await withContainer();
    const refusal = async (action: string, ...packages: readonly string[]) =>
      (await order(action, ...packages)).answer?.['refusal'];
    expect(await refusal('install', 'broken')).toMatchObject({
      code: 'DEPENDENCY_UNRESOLVED',
      details: { requires: 'nothing-provides-this >= 3' },
    });
    expect(await refusal('remove', 'libhello')).toMatchObject({ code: 'PACKAGE_REQUIRED_BY' });
    expect(await refusal('install', 'vim', 'hello')).toMatchObject({
      ...{ code: 'PACKAGE_UNKNOWN', path: ['input', 'packages', '0'] },
    });
    await world.command(DisableRepository, { repositoryId });
    expect(await refusal('install', 'dated')).toMatchObject({ code: 'PACKAGE_UNKNOWN' });
    const unread = await withContainer([], false);
    const { answer } = await unread.order('install', 'hello');
    expect(answer).toMatchObject({ refusal: { code: 'PACKAGE_UNKNOWN' } });
  });

  it('takes nothing from a repository that is for other images', async () => {
    const { order, ...world } = await withContainer();
    for (const [name, images, offered] of [
      ['other', ['el8'], false],
      ['own', ['el8', 'skel'], true],
    ] as const) {
      const input = { name, baseUrl: sampleBase, arch: 'x86_64', images: [...images] };
      const registered = await world.command(RegisterRepository, input);
      if (!registered.ok) throw new Error(registered.refusal.code);
      await world.command(DisableRepository, { repositoryId: world.repositoryId });
      await world.command(SyncRepository, { repositoryId: registered.result.repositoryId });
      const { answer } = await order('upgrade', 'hello');
      expect([name, answer?.['outcome']]).toEqual([name, offered ? 'done' : 'refused']);
      const updates = await world.query(UpdatesOfContainer, { containerId, page });
      expect([name, updates?.total]).toEqual([name, offered ? 2 : 0]);
      const again = await world.command(RegisterRepository, { ...input, images: ['el7'] });
      expect(again).toMatchObject({ refusal: { code: 'REPOSITORY_EXISTS' } });
    }
  });

  it('to look again changes nothing, and one for what never ran is refused', async () => {
    const { order, ...world } = await withContainer();
    const nothing = { install: [], upgrade: [], remove: [] };
    expect((await order('refresh')).answer).toMatchObject({ result: { transaction: nothing } });
    const other = deriveId('container', 'other');
    const input = { containerId: other, action: 'install', packages: ['hello'] };
    expect((await world.asks(tenantId, 'other', input)).answer).toMatchObject({
      refusal: { code: 'INVENTORY_UNKNOWN' },
    });
  });

  it('of one whose snapshot is lost says which', async () => {
    const { blobs, order, repositoryId, ...world } = await withContainer();
    const [, recorded] = await world.eventsOf(`repository-${repositoryId}`);
    const get = blobs.get.bind(blobs);
    blobs.get = (digest) =>
      digest === recorded?.data['snapshot'] ? Promise.resolve(undefined) : get(digest);
    expect((await order('install', 'dated')).answer).toMatchObject({
      refusal: { code: 'SNAPSHOT_MISSING', details: { repository: 'sample' } },
    });
    const lost = world.query(UpdatesOfContainer, { containerId, page });
    await expect(lost).rejects.toThrow('SNAPSHOT_MISSING');
  });
});

describe('what a node says', () => {
  const newer = [pkg('hello', '2.0', noarch), pkg('libhello', '2.0', noarch)];

  it('is the inventory from then on, and a change by its operation', async () => {
    const world = await withContainer();
    const updates = async () =>
      (await world.query(UpdatesOfContainer, { containerId, page }))?.items.map(
        ({ node }) => `${node.installed.name} ${node.available.evr} ${node.repository}`,
      );
    expect(await updates()).toEqual(['hello 2.0-1 sample', 'libhello 2.0-1 sample']);
    const operationId = deriveId('operation', 'upgrade');
    await world.says(tenantId, containerId, newer, operationId);
    expect(await world.query(PackagesOfContainer, { containerId, page })).toMatchObject({
      ...{ total: 2, added: 2, removed: 2, observedAt: later },
    });
    expect(await updates()).toEqual([]);
    const changes = await world.query(PackageChangesOfContainer, { containerId, page });
    expect(changes?.items.map(({ node }) => node)).toMatchObject([
      { added: [], removed: [], operationId: null },
      {
        ...{ operationId, observedAt: later },
        added: [{ name: 'hello', evr: '2.0-1' }, { name: 'libhello' }],
        removed: [{ name: 'hello', evr: '1.0-1' }, { name: 'libhello' }],
      },
    ]);
    const last = { limit: 1, reverse: true };
    const newest = await world.query(PackageChangesOfContainer, { containerId, page: last });
    expect(newest).toMatchObject({ hasPrevious: true, items: [{ node: { operationId } }] });
    expect(
      await world.query(PackageChangesOfContainer, { containerId, page }, customerOf(stranger)),
    ).toBeNull();
  });

  it('is followed also where its image was drafted with what is no list', async () => {
    const world = await withRepository();
    const inventory = await world.blobs.put(Buffer.from('no list at all'));
    await world.runs(tenantId, containerId, inventory);
    await world.says(tenantId, containerId, newer);
    expect(await world.query(PackagesOfContainer, { containerId, page })).toMatchObject({
      ...{ total: 2, added: 0, removed: 0 },
    });
  });

  it('of a container that never ran, or is gone, is passed over', async () => {
    const world = await withContainer();
    await world.says(tenantId, deriveId('container', 'other'), newer);
    await world.deletes(tenantId, containerId);
    await world.says(tenantId, containerId, newer);
    expect(await world.query(PackagesOfContainer, { containerId, page })).toBeNull();
  });
});
