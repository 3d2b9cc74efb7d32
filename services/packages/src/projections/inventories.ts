/** Which list each image and container has; a container's differences by package name. */
import {
  ContainerInventoryEnded,
  ContainerInventoryRecorded,
  ImageInventoryRecorded,
  type Package,
} from '@bivouac/events/packages';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type View, type WritableView } from '@bivouac/infra/views';

import type { Difference } from '../domain/package-list.ts';

export interface ImageRow {
  readonly imageId: string;
  readonly inventory: string;
  readonly count: number;
}

export const images = table<ImageRow>()({
  name: 'images',
  key: (row) => row.imageId,
  indexes: {},
});

export interface InventoryRow {
  readonly containerId: string;
  readonly tenantId: string;
  readonly homeId: string;
  readonly base: string;
  /** Its image's name; null where it was not recorded. */
  readonly image: string | null;
  readonly added: number;
  readonly removed: number;
  readonly observedAt: string;
  /** Of its first record: the order of lists. */
  readonly position: string;
}

export const inventories = table<InventoryRow>()({
  name: 'inventories',
  key: (row) => row.containerId,
  indexes: {
    byPosition: (row) => [row.position],
    byHome: (row) => [row.homeId, row.position],
  },
});

/** How a container differs from its base in the packages of one name. */
export interface DifferenceRow extends Difference {
  readonly containerId: string;
  readonly name: string;
}

export const differences = table<DifferenceRow>()({
  name: 'differences',
  key: (row) => differenceKey(row.containerId, row.name),
  indexes: { byContainer: (row) => [row.containerId, row.name] },
});

export function differenceKey(containerId: string, name: string): string {
  return `${containerId}/${name}`;
}

/** All differences of a container, by name. */
export function differencesOf(view: View, containerId: string): DifferenceRow[] {
  const rows: DifferenceRow[] = [];
  let after: string | undefined;
  for (;;) {
    const page = view.range(differences, 'byContainer', [containerId], { after, limit: CHUNK });
    rows.push(...page.map((item) => item.row));
    after = page.at(-1)?.cursor;
    if (page.length < CHUNK) return rows;
  }
}

const CHUNK = 200;

export const inventoriesProjection = projection({
  name: 'packages.inventories',
  tables: [images, inventories, differences],
  on: [
    on(ImageInventoryRecorded, (event, view) => {
      view.put(images, event.data);
    }),
    on(ContainerInventoryRecorded, (event, view) => {
      const { containerId, tenantId, base, added, removed, observedAt, image } = event.data;
      const known = view.get(inventories, containerId);
      view.put(inventories, {
        ...{ containerId, tenantId, homeId: event.homeid, base, observedAt },
        added: added.length,
        removed: removed.length,
        image: known?.image ?? image ?? null,
        position: known?.position ?? event.position,
      });
      dropDifferences(view, containerId);
      for (const row of byName(containerId, added, removed)) view.put(differences, row);
    }),
    on(ContainerInventoryEnded, (event, view) => {
      view.delete(inventories, event.data.containerId);
      dropDifferences(view, event.data.containerId);
    }),
  ],
});

function dropDifferences(view: WritableView, containerId: string): void {
  for (const { name } of differencesOf(view, containerId)) {
    view.delete(differences, differenceKey(containerId, name));
  }
}

function byName(
  containerId: string,
  added: readonly Package[],
  removed: readonly Package[],
): DifferenceRow[] {
  const names = new Set([...added, ...removed].map((one) => one.name));
  return [...names].map((name) => ({
    containerId,
    name,
    added: added.filter((one) => one.name === name),
    removed: removed.filter((one) => one.name === name),
  }));
}
