/**
 * A container's inventory begins with its image's list when it first runs, follows what its node
 * says is installed, and ends with it.
 */
import { ContainerDeleted, ContainerRunning, PackagesChanged } from '@bivouac/events/containers';
import { is } from '@bivouac/events/language';
import { type PolicyContext, policy, RuntimeError } from '@bivouac/infra/runtime';

import { inventory } from '../aggregates.ts';
import {
  EndContainerInventory,
  RecordContainerInventory,
  StartContainerInventory,
} from '../api/inventories.ts';
import { inventoryStream } from '../domain/inventory.ts';
import { listOf } from '../lists.ts';
import { accepted } from './accepted.ts';

export const followContainers = policy({
  name: 'packages.follow-containers',
  on: [ContainerRunning, PackagesChanged, ContainerDeleted],
  react: async (event, context) => {
    const { containerId, tenantId } = event.data;
    if (is(event, ContainerRunning)) {
      const { inventory: base, name: image } = event.data.image;
      accepted(
        await context.execute(StartContainerInventory, {
          ...{ containerId, tenantId, homeId: event.homeid, base, image, observedAt: event.time },
        }),
      );
    } else if (is(event, PackagesChanged)) {
      const { inventory: digest, observedAt, operationId } = event.data;
      await follow({ containerId, digest, observedAt, operationId }, context);
    } else if (is(event, ContainerDeleted) && event.data.ran) {
      accepted(await context.execute(EndContainerInventory, { containerId }));
    }
  },
});

/** The list that the node sent is recorded as differences to the image's. */
async function follow(
  news: {
    readonly containerId: string;
    readonly digest: string;
    readonly observedAt: string;
    readonly operationId: string | null;
  },
  context: PolicyContext,
): Promise<void> {
  const { containerId, digest, observedAt, operationId } = news;
  const { state } = await context.load(inventory, inventoryStream(containerId));
  // Only what ran was ever asked for its packages.
  if (state.container === undefined || state.container.ended) return;
  const { blobs } = context.ports;
  const packages = await listOf(digest, blobs);
  if (packages === undefined) {
    throw new RuntimeError(
      'defect',
      `the package list ${digest} that the node of ${containerId} sent is not in the blob store; restore it`,
    );
  }
  // An image may be drafted with any blob: where it is no package list, the container's own is told.
  const { origin } = state.container;
  const base = (await listOf(origin, blobs)) === undefined ? digest : origin;
  accepted(
    await context.execute(RecordContainerInventory, {
      ...{ containerId, base, packages, observedAt },
      ...(operationId === null ? {} : { operationId }),
    }),
  );
}
