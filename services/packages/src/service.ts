/** Packages: what images and containers have installed, and what repositories offer for them. */
import {
  ContainerDeleted,
  ContainerRunning,
  ImageDrafted,
  PackagesChanged,
} from '@bivouac/events/containers';
import { operationProtocolEvents } from '@bivouac/events/operations';
import { packagesEvents } from '@bivouac/events/packages';
import { handler, service, type ServiceDefinition } from '@bivouac/infra/runtime';

import type { RepositorySource } from './adapters/repository-source.ts';
import { webSource } from './adapters/repository-source.web.ts';
import { inventory, packageList } from './aggregates.ts';
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
  inventoryStream,
  listStream,
  recordContainerInventory,
  recordImageInventory,
  recordPackageList,
  startContainerInventory,
} from './domain/inventory.ts';
import { repositoryCommands } from './commands/repositories.ts';
import { digestOf, observed, store } from './lists.ts';
import { adoptImageInventories } from './policies/adopt-image-inventories.ts';
import { followContainers } from './policies/follow-containers.ts';
import { answerResolve } from './policies/resolve.ts';
import { inventoriesProjection } from './projections/inventories.ts';
import { repositoriesProjection } from './projections/repositories.ts';
import { containersWithPackage } from './queries/containers-with-package.ts';
import { packageChangesOfContainer } from './queries/package-changes.ts';
import { compareEvrs, packagesOfContainer, packagesOfImage } from './queries/packages.ts';
import { packageTransactionOfOperation } from './queries/transaction.ts';
import {
  packagesOfRepository,
  packagesWithFile,
  repositoryById,
  repositoryChanges,
  repositoryHistory,
  repositoryList,
  updatesOfContainer,
} from './queries/repositories.ts';

/** The service, reading repositories by `source`. */
export function packagesServiceWith(source: RepositorySource): ServiceDefinition {
  return service({
    name: 'packages',
    events: [
      ...packagesEvents,
      ...operationProtocolEvents,
      ...[ImageDrafted, ContainerRunning, ContainerDeleted, PackagesChanged],
    ],
    commands: [
      ...repositoryCommands(source),
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
        prepare: async ({ base, packages, ...facts }, { blobs }) => ({
          input: { ...facts, observation: await observed(packages, base, blobs) },
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
    queries: [
      packagesOfImage,
      packagesOfContainer,
      containersWithPackage,
      compareEvrs,
      packageChangesOfContainer,
      packageTransactionOfOperation,
      repositoryById,
      repositoryChanges,
      repositoryHistory,
      repositoryList,
      packagesOfRepository,
      packagesWithFile,
      updatesOfContainer,
    ],
    projections: [inventoriesProjection, repositoriesProjection],
    policies: [followContainers, adoptImageInventories],
    responders: [answerResolve],
  });
}

/** The service as it runs: repositories are on the web or in local folders. */
export const packagesService = packagesServiceWith(webSource());
