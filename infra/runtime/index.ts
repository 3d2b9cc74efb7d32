export * from './clock.ts';
export * from './definitions.ts';
export * from './errors.ts';
