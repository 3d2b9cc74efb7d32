export * from './asks.ts';
export * from './facts.ts';
export * from './history.ts';
export * from './protocol.ts';
