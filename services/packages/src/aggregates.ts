/** The aggregates of packages, for commands and for what reads them. */
import { inventoryEvents, repositoryEvents } from '@bivouac/events/packages';
import { aggregate } from '@bivouac/infra/runtime';

import { evolveInventory, inventoryInitial, type InventoryState } from './domain/inventory.ts';
import { evolveRepository, type RepositoryState } from './domain/repository.ts';

export const inventory = aggregate<InventoryState, typeof inventoryEvents>({
  category: 'inventory',
  events: inventoryEvents,
  version: 2,
  initial: inventoryInitial,
  evolve: evolveInventory,
});

export const packageList = aggregate<InventoryState, typeof inventoryEvents>({
  category: 'packagelist',
  events: inventoryEvents,
  version: 2,
  initial: inventoryInitial,
  evolve: evolveInventory,
});

export const repository = aggregate<RepositoryState, typeof repositoryEvents>({
  category: 'repository',
  events: repositoryEvents,
  initial: () => undefined,
  evolve: evolveRepository,
});
