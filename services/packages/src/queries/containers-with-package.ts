/**
 * Which containers have a package, at all or below an EVR. Each list that containers are based on is
 * read once; a container's own differences in that name are one row.
 */
import type { Package } from '@bivouac/events/packages';
import { queryHandler, type QueryContext } from '@bivouac/infra/runtime';
import type { RangeItem, View } from '@bivouac/infra/views';

import { ContainersWithPackage } from '../api/queries.ts';
import { compareEvr, evrText, parseEvr } from '../domain/evr.ts';
import { inventoryMissing } from '../domain/inventory.ts';
import { applied } from '../domain/package-list.ts';
import { listOf } from '../lists.ts';
import {
  differenceKey,
  differences,
  inventories,
  type InventoryRow,
} from '../projections/inventories.ts';
import { viewOf } from './list-page.ts';

/** How many containers are looked at at once. */
const CHUNK = 200;

export const containersWithPackage = queryHandler(
  ContainersWithPackage,
  async (view, { name, lessThanEvr, page }, context) => {
    const below = lessThanEvr === undefined ? undefined : parseEvr(lessThanEvr);
    const listed = new Map<string, readonly Package[]>();
    const found: { cursor: string; row: InventoryRow; packages: Package[] }[] = [];
    let { after, before } = page;
    for (;;) {
      const chunk = candidates(view, { after, before, reverse: page.reverse }, context);
      const last = chunk.at(-1);
      const reached = chunk
        .filter(({ row }) => context.reaches(row.tenantId))
        .map((item) => ({
          ...item,
          own: view.get(differences, differenceKey(item.row.containerId, name)),
        }));
      for (const { cursor, row, own } of reached) {
        if (found.length > page.limit) break;
        let base = listed.get(row.base);
        if (base === undefined) {
          const list = await listOf(row.base, context.ports.blobs);
          if (list === undefined) return inventoryMissing(row.base);
          base = list.filter((one) => one.name === name);
          listed.set(row.base, base);
        }
        const packages = applied(base, own ?? { added: [], removed: [] }).filter(
          (one) => below === undefined || compareEvr(parseEvr(evrText(one)), below) < 0,
        );
        if (packages.length > 0) found.push({ cursor, row, packages });
      }
      if (found.length > page.limit || last === undefined || chunk.length < CHUNK) break;
      if (page.reverse) before = last.cursor;
      else after = last.cursor;
    }
    const more = found.length > page.limit;
    const items = found.slice(0, page.limit).map(({ cursor, row, packages }) => ({
      cursor,
      node: {
        containerId: row.containerId,
        tenantId: row.tenantId,
        packages: packages.map(viewOf),
      },
    }));
    if (page.reverse) items.reverse();
    return {
      items,
      hasNext: page.reverse ? page.before !== undefined : more,
      hasPrevious: page.reverse ? more : page.after !== undefined,
    };
  },
);

function candidates(
  view: View,
  from: {
    readonly after: string | undefined;
    readonly before: string | undefined;
    readonly reverse: boolean;
  },
  context: QueryContext,
): readonly RangeItem<InventoryRow>[] {
  const { reach, homeId } = context.principal;
  const options = { ...from, limit: CHUNK };
  return reach === 'all'
    ? view.range(inventories, 'byPosition', [], options)
    : view.range(inventories, 'byHome', [homeId], options);
}
