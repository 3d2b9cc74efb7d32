import { inventoryEvents } from './inventory.ts';
import { repositoryEvents } from './repository.ts';

export * from './inventory.ts';
export * from './package.ts';
export * from './repository.ts';

/** Every event type of packages. */
export const packagesEvents = [...inventoryEvents, ...repositoryEvents] as const;
