/**
 * The record of the last backup of a log: a small file beside the log, or where BACKUP_RECORD_FILE says. Who
 * makes a backup writes it; the metric of its age and `bivouac status` read it.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

import { replaceFile } from '../blobs/durable-file.ts';

const BackupRecordSchema = z.object({
  /** When the copy began: everything acknowledged before is in it. */
  time: InstantSchema,
  /** The folder of the copy, or what whoever made it calls it. */
  to: z.string(),
  /** Of the log that was copied; null where another tool made the copy. */
  epoch: z.string().nullable(),
  /** Position of the last event in the copy; null where it holds none, or another tool made it. */
  head: z.string().nullable(),
});

/** What was backed up last, and when. */
export type BackupRecord = Readonly<z.output<typeof BackupRecordSchema>>;

/** Where the record of an installation's log is; undefined: nowhere, as no setting says so. */
export function backupRecordFile(config: {
  readonly EVENT_STORE_URL: string;
  readonly BACKUP_RECORD_FILE?: string | undefined;
}): string | undefined {
  const { EVENT_STORE_URL: url, BACKUP_RECORD_FILE: file } = config;
  if (file !== undefined) return file;
  return url.startsWith('sqlite:') ? backupRecordOf(url.slice('sqlite:'.length)) : undefined;
}

/** Where the record of the embedded log in a folder is. */
export function backupRecordOf(folder: string): string {
  return path.join(folder, 'events.backup');
}

/** The record. `none`: no backup was ever recorded. `unreadable`: the file cannot be read or is none. */
export function readBackupRecord(file: string): BackupRecord | 'none' | 'unreadable' {
  try {
    const parsed = BackupRecordSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    return parsed.success ? parsed.data : 'unreadable';
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error && error.code;
    return code === 'ENOENT' ? 'none' : 'unreadable';
  }
}

/** Writes it durably in the place of the one before. Rejects with the file system's error. */
export async function writeBackupRecord(file: string, record: BackupRecord): Promise<void> {
  await replaceFile(file, Buffer.from(`${JSON.stringify(BackupRecordSchema.parse(record))}\n`));
}
