/** Reading package lists: of an image, of a container, and which of two versions is newer. */
import { queryHandler } from '@bivouac/infra/runtime';

import { CompareEvr, PackagesOfContainer, PackagesOfImage } from '../api/queries.ts';
import { compareEvr, parseEvr } from '../domain/evr.ts';
import { inventoryMissing } from '../domain/inventory.ts';
import { applied } from '../domain/package-list.ts';
import { listOf } from '../lists.ts';
import { differencesOf, images, inventories } from '../projections/inventories.ts';
import { listPage, viewOf } from './list-page.ts';

export const packagesOfImage = queryHandler(
  PackagesOfImage,
  async (view, { imageId, page }, context) => {
    const row = view.get(images, imageId);
    if (row === undefined) return null;
    const list = await listOf(row.inventory, context.ports.blobs);
    return list === undefined ? inventoryMissing(row.inventory) : listPage(list, page, viewOf);
  },
);

export const packagesOfContainer = queryHandler(
  PackagesOfContainer,
  async (view, { containerId, page }, context) => {
    const row = view.get(inventories, containerId);
    if (row === undefined || !context.reaches(row.tenantId)) return null;
    // All rows are read before the first wait: the view may move on meanwhile.
    const rows = differencesOf(view, containerId);
    const base = await listOf(row.base, context.ports.blobs);
    if (base === undefined) return inventoryMissing(row.base);
    const list = applied(base, {
      added: rows.flatMap((difference) => difference.added),
      removed: rows.flatMap((difference) => difference.removed),
    });
    const { added, removed, observedAt } = row;
    return { ...listPage(list, page, viewOf), added, removed, observedAt };
  },
);

export const compareEvrs = queryHandler(CompareEvr, (_view, { a, b }) => ({
  order: compareEvr(parseEvr(a), parseEvr(b)),
}));
