export * from './commands.ts';
export * from './node.ts';
export * from './queries.ts';
export * from './views.ts';
