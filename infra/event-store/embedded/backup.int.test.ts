// A backup is the log at one moment, whole, whether a process writes the log meanwhile or none does.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { StoredEvent } from '@bivouac/events/language';
import { backupRecordOf, readBackupRecord, writeBackupRecord } from '../backup-record.ts';
import { refusal, sampleEvents } from '../contract/samples.ts';
import { backupLog } from './backup.ts';
import { renewEpoch } from './renew-epoch.ts';
import { FILES } from './schema.js';
import { openDatabase } from './sqlite.js';
import { openEmbeddedStore } from './store.ts';
import { fill, newFolder, removeFolders, rendered } from './testing/folders.ts';

afterAll(removeFolders);

async function eventsOf(folder: string): Promise<readonly StoredEvent[]> {
  const store = await openEmbeddedStore({ folder });
  const all: StoredEvent[] = [];
  for (;;) {
    const after = all.at(-1)?.position;
    const { events } = await store.readAll(after === undefined ? {} : { after });
    if (events.length === 0) break;
    all.push(...events);
  }
  await store.close();
  return all;
}

function target(): string {
  return path.join(newFolder(), 'backups', 'one');
}

test('of a stopped log it is the same log, and only the log', async () => {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  await fill(store, 200);
  await store.close();
  const to = target();
  const made = await backupLog(folder, to);
  const whole = await eventsOf(folder);
  expect(made.head).toBe(whole.at(-1)?.position);
  expect(made.bytes).toBeGreaterThan(10_000);
  expect(readdirSync(to).sort()).toEqual([FILES.head, FILES.log].sort());
  expect(readdirSync(path.dirname(to))).toEqual(['one']);
  expect(rendered(await eventsOf(to))).toBe(rendered(whole));
});

test('while it is written, it has everything that was acknowledged before it began, and is a beginning of the log', async () => {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  await fill(store, 50, 'before');
  const writing = Promise.all(['a', 'b', 'c'].map((seed) => fill(store, 400, seed)));
  let before = (await store.head()).position;
  const copies: { readonly to: string; readonly least: string | null }[] = [];
  let written = false;
  const ended = writing.then(() => {
    written = true;
  });
  do {
    const to = target();
    before = (await store.head()).position;
    await backupLog(folder, to);
    copies.push({ to, least: before });
  } while (!written && copies.length < 20);
  await ended;
  await store.close();
  const whole = await eventsOf(folder);
  for (const { to, least } of copies) {
    const copied = await eventsOf(to);
    expect(String(copied.at(-1)?.position) >= String(least)).toBe(true);
    expect(rendered(copied)).toBe(rendered(whole.slice(0, copied.length)));
  }
}, 60_000);

test('an empty log has a backup, and it is a log', async () => {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  const to = target();
  expect(await backupLog(folder, to)).toMatchObject({ head: null });
  await store.close();
  expect(await eventsOf(to)).toEqual([]);
});

test('restored with a new epoch, it takes events again', async () => {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  await fill(store, 20);
  const to = target();
  const { head } = await backupLog(folder, to);
  await fill(store, 20, 'lost');
  await store.close();
  const { before, epoch } = renewEpoch(to);
  expect(before).not.toBe(epoch);
  const restored = await openEmbeddedStore({ folder: to });
  expect(await restored.head()).toEqual({ epoch, position: head });
  const { position } = await restored.append('pool-new', 'no-stream', sampleEvents('new', 1));
  expect(Number(position)).toBe(Number(head) + 1);
  await restored.close();
});

test.each([
  [
    'a row that is not what was written',
    "UPDATE events SET frame = CAST(substr(frame, 1, 40) || x'00' || substr(frame, 42) AS BLOB) WHERE position = 5",
    /0+5: .*checksum/,
  ],
  ['a lost tail', 'DELETE FROM events WHERE position > 20', /tail is lost/],
  ['a row that is missing', 'DELETE FROM events WHERE position = 7', /1 missing/],
])('%s is never backed up: it is named, and nothing is left', async (_what, sql, named) => {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  await fill(store, 30);
  await store.close();
  const db = openDatabase(path.join(folder, FILES.log));
  db.exec(sql);
  db.close();
  const to = target();
  const error = await refusal(backupLog(folder, to));
  expect(error.code).toBe('corrupt');
  expect(error.message).toMatch(named);
  expect(readdirSync(path.dirname(to))).toEqual([]);
});

test('a copy that the disk has damaged is not called a backup', async () => {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  await fill(store, 30);
  const to = target();
  const copied = (unfinished: string): void => {
    const file = path.join(unfinished, FILES.log);
    const bytes = readFileSync(file);
    // All but the first page, which says what the file is: whatever lies there is of a row or an index.
    bytes.fill(0, 4096);
    writeFileSync(file, bytes);
  };
  expect((await refusal(backupLog(folder, to, { copied }))).code).toBe('corrupt');
  expect(existsSync(to)).toBe(false);
  // What was cut short is in nobody's way.
  await backupLog(folder, to);
  await store.close();
  expect((await eventsOf(to)).length).toBeGreaterThan(30);
});

test('a folder with something in it, and one without a log, are refused and left alone', async () => {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  await store.close();
  const full = newFolder();
  writeFileSync(path.join(full, 'other'), 'kept');
  expect(await refusal(backupLog(folder, full))).toMatchObject({ code: 'invalid' });
  expect(readdirSync(full)).toEqual(['other']);
  const none = newFolder();
  expect(await refusal(backupLog(none, target()))).toMatchObject({ code: 'unavailable' });
  expect(readdirSync(none)).toEqual([]);
});

test('the record of the last backup is read as it was written; none, and one that is none, are told apart', async () => {
  const file = backupRecordOf(newFolder());
  expect(readBackupRecord(file)).toBe('none');
  const record = { time: '2026-04-10T09:00:00.000Z', to: '/b/1', epoch: 'e', head: null };
  await writeBackupRecord(file, record);
  expect(readBackupRecord(file)).toEqual(record);
  await writeBackupRecord(file, { ...record, to: '/b/2' });
  expect(readBackupRecord(file)).toMatchObject({ to: '/b/2' });
  for (const text of ['', '{}', '{"time":"yesterday","to":"","epoch":null,"head":null}']) {
    writeFileSync(file, text);
    expect(readBackupRecord(file)).toBe('unreadable');
  }
});
