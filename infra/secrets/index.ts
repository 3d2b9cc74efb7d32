export * from './port.ts';
export { SecretError } from './errors.ts';
export { folderSecrets } from './folder.ts';
export { memorySecrets } from './memory.ts';
