export * from './inventories.ts';
export * from './queries.ts';
export * from './repositories.ts';
export * from './repository-queries.ts';
