export { readApiKey } from '@bivouac/events/accounts';
export * from './commands.ts';
export * from './persons.ts';
export * from './queries.ts';
