export * from './inventories.ts';
export * from './page.ts';
export * from './queries.ts';
