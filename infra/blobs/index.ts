export * from './port.ts';
export { folderBlobs } from './folder.ts';
export { memoryBlobs } from './memory.ts';
