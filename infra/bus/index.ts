export * from './port.ts';
export { embeddedBus, type EmbeddedBusOptions } from './embedded/bus.ts';
export { openBus, type OpenBusOptions } from './open.ts';
export { isPublished, partitionOf } from './partition.ts';
