export * from './port.ts';
export { SecretError } from './errors.ts';
export { folderSecrets } from './folder.ts';
export { openSecrets } from './open.ts';
export { memorySecrets } from './memory.ts';
