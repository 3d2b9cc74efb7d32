export { folderSnapshots } from './folder.ts';
export * from './port.ts';
export * from './snapshots.ts';
