import { afterEach, describe, expect, it } from '@jest/globals';
import { canonicalBytes } from '@bivouac/events/language';
import type { Package } from '@bivouac/events/packages';
import { deriveId } from '@bivouac/events/values';

import {
  CompareEvr,
  ContainersWithPackage,
  PackagesOfContainer,
  PackagesOfImage,
  RecordContainerInventory,
  RecordImageInventory,
  RecordPackageList,
} from './api/index.ts';
import { closeAll, customerOf, later, newWorld, pkg, skel, staff, time } from './sample-world.ts';

afterEach(closeAll);

const page = { limit: 100 };
const imageId = deriveId('image', 'skel');
const tenantId = deriveId('tenant', 'customer');
const stranger = deriveId('tenant', 'stranger');
const containerId = deriveId('container', 'web1');

/** A container that runs from the recorded list. */
async function running(packages: readonly Package[] = skel) {
  const world = await newWorld();
  const list = await world.command(RecordPackageList, { packages: [...packages] });
  if (!list.ok) throw new Error(list.refusal.code);
  const { inventory } = list.result;
  await world.runs(tenantId, containerId, inventory);
  await world.query(PackagesOfContainer, { containerId, page });
  return { ...world, inventory };
}

describe('packages', () => {
  it('stores a list under its digest, whatever its order, and an image drafted with it adopts it', async () => {
    const world = await newWorld();
    const list = await world.command(RecordPackageList, { packages: skel });
    const again = await world.command(RecordPackageList, { packages: [...skel].reverse() });
    if (!list.ok || !again.ok) throw new Error('refused');
    expect(again.result).toEqual(list.result);
    expect(await world.query(PackagesOfImage, { imageId, page })).toBeNull();
    await world.drafts(imageId, list.result.inventory);
    const found = await world.query(PackagesOfImage, { imageId, page }, customerOf(tenantId));
    expect(found?.items.map(({ node }) => `${node.name} ${node.evr}`)).toEqual([
      'bash 5.1.8-1.el9',
      'glibc 2.34-1.el9',
      'openssl-libs 1:3.0.7-1.el9',
    ]);
    const same = await world.command(RecordImageInventory, { imageId, packages: skel });
    expect(same).toMatchObject({
      ok: true,
      result: { inventory: list.result.inventory, count: 3 },
    });
    const other = await world.command(RecordImageInventory, { imageId, packages: [] });
    expect(other).toMatchObject({ refusal: { code: 'IMAGE_INVENTORY_FIXED' } });
  });

  it('does not take a draft for a package list that is none', async () => {
    const world = await newWorld();
    await world.drafts(imageId, await world.blobs.put(canonicalBytes({ not: 'a list' })));
    expect(await world.query(PackagesOfImage, { imageId, page })).toBeNull();
  });

  it('refuses a list with a package twice, or a package that rpm would not have', async () => {
    const world = await newWorld();
    const double = await world.command(RecordImageInventory, {
      imageId,
      packages: [pkg('bash', '1'), pkg('bash', '1')],
    });
    expect(double).toMatchObject({ ok: false, refusal: { code: 'PACKAGE_TWICE' } });
    const dashed = await world.command(RecordPackageList, { packages: [pkg('bash', '1-2')] });
    expect(dashed).toMatchObject({ ok: false });
    const forged = await world.command(RecordPackageList, { packages: [] }, customerOf(tenantId));
    expect(forged).toMatchObject({ ok: false, refusal: { code: 'NOT_ALLOWED' } });
  });

  it("gives a container its image's list, then what nodes find, until it is deleted", async () => {
    const world = await running();
    const of = () => world.query(PackagesOfContainer, { containerId, page }, customerOf(tenantId));
    expect(await of()).toMatchObject({ total: 3, added: 0, removed: 0, observedAt: time });
    const packages = [skel[0] ?? pkg('x', '1'), pkg('bash', '5.2'), pkg('glibc', '2.34')];
    const input = { containerId, base: world.inventory, packages, observedAt: later };
    expect(await world.command(RecordContainerInventory, input)).toMatchObject({
      result: { changed: true },
    });
    expect(await world.command(RecordContainerInventory, input)).toMatchObject({
      result: { changed: false },
    });
    const after = await of();
    expect(after).toMatchObject({ total: 3, added: 1, removed: 1, observedAt: later });
    expect(after?.items[0]?.node.evr).toBe('5.2-1.el9');
    const [, event] = await world.eventsOf(`inventory-${containerId}`);
    expect(event?.data).toMatchObject({
      base: world.inventory,
      added: [pkg('bash', '5.2')],
      removed: [pkg('bash', '5.1.8')],
    });
    expect(
      await world.query(PackagesOfContainer, { containerId, page }, customerOf(stranger)),
    ).toBeNull();
    await world.deletes(tenantId, containerId);
    expect(await of()).toBeNull();
    const found = await world.query(ContainersWithPackage, { name: 'bash', page });
    expect(found.items).toEqual([]);
  });

  it('keeps differences that would outgrow an event as a list of their own', async () => {
    const world = await running();
    const many = Array.from({ length: 2000 }, (_, n) => pkg(`package-${n}`, '1.0'));
    const input = { containerId, base: world.inventory, packages: many, observedAt: later };
    const reply = await world.command(RecordContainerInventory, input);
    expect(reply).toMatchObject({ result: { changed: true } });
    const [, event] = await world.eventsOf(`inventory-${containerId}`);
    expect(event?.data).toMatchObject({ added: [], removed: [] });
    expect(event?.data['base']).not.toBe(world.inventory);
    const found = await world.query(ContainersWithPackage, { name: 'package-1999', page });
    expect(found.items.map(({ node }) => node.containerId)).toEqual([containerId]);
  });

  it('refuses an observation of an unknown container or against a list that is not stored', async () => {
    const world = await running();
    const input = { base: world.inventory, packages: skel, observedAt: later };
    const unknown = { ...input, containerId: deriveId('container', 'unknown') };
    expect(await world.command(RecordContainerInventory, unknown)).toMatchObject({
      refusal: { code: 'INVENTORY_UNKNOWN' },
    });
    const missing = { ...input, containerId, base: 'f'.repeat(64) };
    expect(await world.command(RecordContainerInventory, missing)).toMatchObject({
      refusal: { code: 'INVENTORY_MISSING' },
    });
  });

  it('pages through a list both ways without losing or repeating a package', async () => {
    const many = Array.from({ length: 7 }, (_, n) => pkg('kernel', `5.${n}`));
    await expect(running([])).resolves.toBeDefined();
    const world = await running(many);
    const walk = async (reverse: boolean) => {
      const seen: string[] = [];
      let cursor: string | undefined;
      for (;;) {
        const at = reverse ? { before: cursor } : { after: cursor };
        const found = await world.query(PackagesOfContainer, {
          containerId,
          page: { limit: 3, reverse, ...at },
        });
        const versions = found?.items.map(({ node }) => node.version) ?? [];
        if (reverse) seen.unshift(...versions);
        else seen.push(...versions);
        const more = reverse ? found?.hasPrevious : found?.hasNext;
        cursor = reverse ? found?.items[0]?.cursor : found?.items.at(-1)?.cursor;
        if (more !== true) return seen;
      }
    };
    const expected = many.map((one) => one.version);
    expect(await walk(false)).toEqual(expected);
    expect(await walk(true)).toEqual(expected);
    await expect(
      world.query(PackagesOfContainer, { containerId, page: { limit: 3, after: 'nonsense' } }),
    ).rejects.toThrow();
  });

  it('finds containers by package, by version as rpm sorts, and only those within reach', async () => {
    const world = await running();
    const others = ['web2', 'web3'].map((name) => deriveId('container', name));
    for (const id of others) await world.runs(tenantId, id, world.inventory);
    const foreign = deriveId('container', 'foreign');
    await world.runs(stranger, foreign, world.inventory);
    await world.query(PackagesOfContainer, { containerId: foreign, page });
    const patched = [pkg('openssl-libs', '3.0.8', { epoch: 1 }), pkg('bash', '5.1.8')];
    await world.command(RecordContainerInventory, {
      ...{ containerId, base: world.inventory, packages: patched, observedAt: later },
    });
    const find = async (name: string, lessThanEvr?: string, who = customerOf(tenantId)) => {
      const input = { name, page, ...(lessThanEvr === undefined ? {} : { lessThanEvr }) };
      const found = await world.query(ContainersWithPackage, input, who);
      return found.items.map(({ node }) => node.containerId);
    };
    expect(await find('openssl-libs')).toEqual([containerId, ...others]);
    expect(await find('openssl-libs', '1:3.0.8-1.el9')).toEqual(others);
    expect(await find('openssl-libs', '9.0')).toEqual([]);
    expect(await find('glibc')).toEqual(others);
    expect(await find('emacs')).toEqual([]);
    expect(await find('glibc', undefined, staff)).toEqual([...others, foreign]);
    const first = await world.query(ContainersWithPackage, { name: 'glibc', page: { limit: 1 } });
    expect([first.items.length, first.hasNext, first.hasPrevious]).toEqual([1, true, false]);
    const last = await world.query(ContainersWithPackage, {
      name: 'glibc',
      page: { limit: 5, after: first.items[0]?.cursor },
    });
    expect(last.items.map(({ node }) => node.containerId)).toEqual([others[1], foreign]);
    expect([last.hasNext, last.hasPrevious]).toEqual([false, true]);
  });

  it('says which of two versions rpm would sort higher', async () => {
    const world = await newWorld();
    const compared = await world.query(CompareEvr, { a: '1.0~rc1-1', b: '1.0-1' });
    expect(compared).toEqual({ order: -1 });
  });
});
