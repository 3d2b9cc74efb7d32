// When the log was backed up last is what its record says; what is no record is no backup, and said to be wrong.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { backupRecordOf, writeBackupRecord } from '../event-store/index.ts';
import { processMetrics } from '../runtime/index.ts';
import { measureBackup } from './measured-backup.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bivouac-measured-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('none is 0, one is when it was made, a torn record is 0 and a look that failed', async () => {
  const metrics = processMetrics({ ofNode: false });
  const end = measureBackup({ EVENT_STORE_URL: `sqlite:${folder}` }, metrics);
  const told = async (): Promise<readonly string[]> =>
    (await metrics.scrape()).text
      .split('\n')
      .filter((line) => /^bivouac_(last_backup|looks_failed_total\{look="backup")/.test(line));
  const failed = (count: number) => `bivouac_looks_failed_total{look="backup"} ${count}`;
  const at = (seconds: number) => `bivouac_last_backup_timestamp_seconds ${seconds}`;
  expect(new Set(await told())).toEqual(new Set([failed(0), at(0)]));

  const file = backupRecordOf(folder);
  const time = '2026-04-10T09:00:00.500Z';
  await writeBackupRecord(file, { time, to: '/copies/1', epoch: 'e', head: null });
  expect(new Set(await told())).toEqual(new Set([failed(0), at(Date.parse(time) / 1000)]));

  await writeFile(file, '{"time":"2026-04');
  expect(new Set(await told())).toEqual(new Set([failed(1), at(0)]));
  end();
  expect(await told()).toContain(failed(1));
});

test('a log elsewhere has no record unless a setting says where', async () => {
  const metrics = processMetrics({ ofNode: false });
  measureBackup({ EVENT_STORE_URL: 'esdb://there:2113' }, metrics);
  expect((await metrics.scrape()).text).not.toMatch(/^bivouac_last_backup/m);
});
