export * from './inventories.ts';
export * from './queries.ts';
