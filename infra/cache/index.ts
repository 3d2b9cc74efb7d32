export * from './port.ts';
export { openCache, openCacheEngine, type OpenCacheOptions } from './open.ts';
export { memoryCache } from './memory.ts';
export { survivingCache, type SurvivingOptions } from './surviving.ts';
