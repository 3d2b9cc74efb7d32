export * from './port.ts';
export { embeddedBus, type EmbeddedBusOptions } from './embedded/bus.ts';
export type { BusComparison } from './kafka/compare.ts';
export {
  openBus,
  type OpenBusOptions,
  removeBus,
  verifyBus,
  type VerifyBusOptions,
  watchRelay,
} from './open.ts';
export { isPublished, partitionOf } from './partition.ts';
