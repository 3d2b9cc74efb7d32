export * from './port.ts';
export { folderBlobs } from './folder.ts';
export { openBlobs } from './open.ts';
export { memoryBlobs } from './memory.ts';
