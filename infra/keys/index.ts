export * from './port.ts';
export { folderKeys, type FolderKeysOptions } from './folder.ts';
export { openKeys, type OpenKeysOptions } from './open.ts';
export type { ErasedKeys } from './keyring.ts';
export { memoryKeys } from './memory.ts';
