/** Packages: what images and containers have installed, in rpm's order. */
import { ContainerDeleted, ContainerRunning, ImageDrafted } from '@bivouac/events/containers';
import { inventoryEvents, packagesEvents } from '@bivouac/events/packages';
import { aggregate, handler, service } from '@bivouac/infra/runtime';

import {
  AdoptImageInventory,
  EndContainerInventory,
  RecordContainerInventory,
  RecordImageInventory,
  RecordPackageList,
  StartContainerInventory,
} from './api/index.ts';
import {
  endContainerInventory,
  evolveInventory,
  inventoryInitial,
  inventoryStream,
  listStream,
  recordContainerInventory,
  recordImageInventory,
  recordPackageList,
  startContainerInventory,
  type InventoryState,
} from './domain/inventory.ts';
import { digestOf, observed, store } from './lists.ts';
import { adoptImageInventories } from './policies/adopt-image-inventories.ts';
import { followContainers } from './policies/follow-containers.ts';
import { inventoriesProjection } from './projections/inventories.ts';
import { containersWithPackage } from './queries/containers-with-package.ts';
import { compareEvrs, packagesOfContainer, packagesOfImage } from './queries/packages.ts';

const inventory = aggregate<InventoryState, typeof inventoryEvents>({
  category: 'inventory',
  events: inventoryEvents,
  initial: inventoryInitial,
  evolve: evolveInventory,
});

const packageList = aggregate<InventoryState, typeof inventoryEvents>({
  category: 'packagelist',
  events: inventoryEvents,
  initial: inventoryInitial,
  evolve: evolveInventory,
});

export const packagesService = service({
  name: 'packages',
  events: [...packagesEvents, ImageDrafted, ContainerRunning, ContainerDeleted],
  commands: [
    handler(RecordPackageList, packageList, {
      stream: ({ packages }) => listStream(digestOf(packages)),
      owner: () => 'platform',
      prepare: async ({ packages }, { blobs }) => ({ input: await store(packages, blobs) }),
      decide: recordPackageList,
      result: (_events, { packages }) => ({
        inventory: digestOf(packages),
        count: packages.length,
      }),
    }),
    handler(RecordImageInventory, inventory, {
      stream: ({ imageId }) => inventoryStream(imageId),
      owner: () => 'platform',
      prepare: async ({ imageId, packages }, { blobs }) => ({
        input: { imageId, list: await store(packages, blobs) },
      }),
      decide: recordImageInventory,
      result: (_events, { imageId, packages }) => ({
        imageId,
        inventory: digestOf(packages),
        count: packages.length,
      }),
    }),
    handler(AdoptImageInventory, inventory, {
      stream: ({ imageId }) => inventoryStream(imageId),
      owner: () => 'platform',
      prepare: async ({ imageId, ...list }) => ({
        input: { imageId, list: { kind: 'stored', ...list } as const },
      }),
      decide: recordImageInventory,
      result: () => ({}),
    }),
    handler(StartContainerInventory, inventory, {
      stream: ({ containerId }) => inventoryStream(containerId),
      owner: ({ tenantId, homeId }) => ({ tenantId, homeId }),
      decide: startContainerInventory,
      result: () => ({}),
    }),
    handler(RecordContainerInventory, inventory, {
      stream: ({ containerId }) => inventoryStream(containerId),
      prepare: async ({ containerId, base, packages, observedAt }, { blobs }) => ({
        input: { containerId, observedAt, observation: await observed(packages, base, blobs) },
      }),
      decide: recordContainerInventory,
      result: (events) => ({ changed: events.length > 0 }),
    }),
    handler(EndContainerInventory, inventory, {
      stream: ({ containerId }) => inventoryStream(containerId),
      decide: endContainerInventory,
      result: () => ({}),
    }),
  ],
  queries: [packagesOfImage, packagesOfContainer, containersWithPackage, compareEvrs],
  projections: [inventoriesProjection],
  policies: [followContainers, adoptImageInventories],
  responders: [],
});
