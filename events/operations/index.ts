export * from './asks.ts';
export * from './facts.ts';
export * from './protocol.ts';
