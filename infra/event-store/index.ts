export * from './port.ts';
export { MAX_APPEND_EVENTS } from './refusals.ts';
export { measuredStore } from './measured.ts';
export { memoryEventStore, type MemoryStoreOptions } from './memory.ts';
export { openEmbeddedStore, type EmbeddedStoreOptions } from './embedded/store.ts';
export {
  examineLog,
  type ExaminedLog,
  type ExaminedRow,
  type LogFault,
} from './embedded/examine.ts';
export { renewEpoch, type RenewedEpoch } from './embedded/renew-epoch.ts';
export { backupLog, type LogBackup } from './embedded/backup.ts';
export {
  backupRecordFile,
  backupRecordOf,
  readBackupRecord,
  writeBackupRecord,
  type BackupRecord,
} from './backup-record.ts';
export { openEventStore, type OpenEventStoreOptions } from './open.ts';
export { compareLogs, type Difference, type LogComparison } from './copy/compare.ts';
export { appendRun, copyEvents, type Copied, type Persistence } from './copy/copy.ts';
export {
  type CopyOrigin,
  type CopyTarget,
  openCopyTarget,
  openExistingStore,
} from './copy/open.ts';
