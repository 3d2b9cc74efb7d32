export * from './port.ts';
export { memoryCache } from './memory.ts';
