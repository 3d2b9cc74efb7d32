/** When the last backup of the log was made, as its record says. */
import { millisecondsOf } from '@bivouac/events/values';

import { backupRecordFile, readBackupRecord } from '../event-store/index.ts';
import { type Config, type Metrics, RuntimeError } from '../runtime/index.ts';

/** Measures it where the settings say where the record is; answers how to end that. */
export function measureBackup(
  config: Pick<Config, 'EVENT_STORE_URL' | 'BACKUP_RECORD_FILE'>,
  metrics: Metrics,
): () => void {
  const file = backupRecordFile(config);
  if (file === undefined) return () => undefined;
  const last = metrics.gauge('last_backup_timestamp_seconds', {});
  return metrics.onScrape('backup', () => {
    const record = readBackupRecord(file);
    // What cannot be read is no backup that anybody could rely on.
    const known = typeof record === 'object' ? millisecondsOf(record.time) / 1000 : 0;
    last.set(known);
    if (record === 'unreadable') {
      throw new RuntimeError('unavailable', `${file} is no record of a backup: make another one`);
    }
  });
}
