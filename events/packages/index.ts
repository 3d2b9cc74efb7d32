import { inventoryEvents } from './inventory.ts';

export * from './inventory.ts';
export * from './package.ts';

/** Every event type of packages. */
export const packagesEvents = [...inventoryEvents] as const;
