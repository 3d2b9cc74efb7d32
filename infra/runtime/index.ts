export * from './clock.ts';
export * from './definitions.ts';
export * from './errors.ts';
export * from './history.ts';
export * from './commands/host.ts';
export * from './config.ts';
export * from './logging.ts';
