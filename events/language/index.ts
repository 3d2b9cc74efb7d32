export * from './api.ts';
export * from './audience.ts';
export * from './canonical.ts';
export * from './decision.ts';
export * from './envelope.ts';
export * from './event.ts';
export * from './registry.ts';
export * from './sealed.ts';
