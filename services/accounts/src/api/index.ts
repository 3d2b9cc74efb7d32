export { readApiKey, readInvitation } from '@bivouac/events/accounts';
export * from './access.ts';
export * from './commands.ts';
export * from './persons.ts';
export * from './keys.ts';
export * from './people.ts';
export * from './queries.ts';
