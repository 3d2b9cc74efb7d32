export * from './port.ts';
export { MAX_APPEND_EVENTS } from './refusals.ts';
export { memoryEventStore, type MemoryStoreOptions } from './memory.ts';
