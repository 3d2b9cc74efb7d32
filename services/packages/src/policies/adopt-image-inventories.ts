/** The list that an image was drafted with becomes its recorded inventory. */
import { ImageDrafted } from '@bivouac/events/containers';
import { policy } from '@bivouac/infra/runtime';

import { AdoptImageInventory } from '../api/inventories.ts';
import { listOf } from '../lists.ts';

export const adoptImageInventories = policy({
  name: 'packages.adopt-image-inventories',
  on: [ImageDrafted],
  react: async (event, context) => {
    const { imageId, inventory } = event.data;
    const list = await listOf(inventory, context.ports.blobs);
    // An image may be drafted with any blob; one that is no package list lists no packages. And
    // staff may have recorded another list for it before: that one stands.
    if (list === undefined) return;
    await context.execute(AdoptImageInventory, { imageId, inventory, count: list.length });
  },
});
