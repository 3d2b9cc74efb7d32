export * from './asks.ts';
export * from './changes.ts';
export * from './created.ts';
export * from './facts.ts';
export * from './history.ts';
export * from './protocol.ts';
