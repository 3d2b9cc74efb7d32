/** A container's inventory begins with its image's list when it first runs, and ends with it. */
import { ContainerDeleted, ContainerRunning } from '@bivouac/events/containers';
import { is } from '@bivouac/events/language';
import { policy } from '@bivouac/infra/runtime';

import { EndContainerInventory, StartContainerInventory } from '../api/inventories.ts';
import { accepted } from './accepted.ts';

export const followContainers = policy({
  name: 'packages.follow-containers',
  on: [ContainerRunning, ContainerDeleted],
  react: async (event, context) => {
    const { containerId, tenantId } = event.data;
    if (is(event, ContainerRunning)) {
      const base = event.data.image.inventory;
      accepted(
        await context.execute(StartContainerInventory, {
          ...{ containerId, tenantId, homeId: event.homeid, base, observedAt: event.time },
        }),
      );
    } else if (is(event, ContainerDeleted) && event.data.ran) {
      accepted(await context.execute(EndContainerInventory, { containerId }));
    }
  },
});
