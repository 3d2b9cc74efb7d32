// A restored log with a new epoch: the same past, and nobody takes it for the log that went on.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { readWholeLog, refusal, sampleEvent } from '../contract/samples.ts';
import { EventStoreError, type SubscriptionMessage } from '../port.ts';
import { examineLog } from './examine.ts';
import { readHeadRecord, writeHeadRecord } from './head-record.js';
import { renewEpoch } from './renew-epoch.ts';
import { FILES } from './schema.js';
import { openDatabase } from './sqlite.js';
import { openEmbeddedStore } from './store.ts';
import { copyLog, fill, newFolder, removeFolders } from './testing/folders.ts';

afterAll(removeFolders);

async function filled(appends = 12): Promise<string> {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  await fill(store, appends);
  await store.close();
  return folder;
}

async function eventsOf(folder: string) {
  const store = await openEmbeddedStore({ folder });
  const events = await readWholeLog(store);
  const { epoch } = await store.head();
  await store.close();
  return { epoch, events };
}

/** What a renewal throws. */
function refused(renew: () => unknown): EventStoreError {
  try {
    renew();
  } catch (error) {
    if (error instanceof EventStoreError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

test('all but the epoch stays: events, positions, revisions, and the log goes on and is whole', async () => {
  const folder = await filled();
  const before = await eventsOf(folder);
  const renewed = renewEpoch(folder);
  expect(renewed).toMatchObject({ before: before.epoch, head: before.events.at(-1)?.position });
  const after = await eventsOf(folder);
  expect(after.epoch).toBe(renewed.epoch);
  expect(after.epoch).not.toBe(before.epoch);
  expect(after.events).toEqual(before.events.map((event) => ({ ...event, epoch: renewed.epoch })));

  const store = await openEmbeddedStore({ folder });
  await store.append('pool-new', 'no-stream', [sampleEvent('after')]);
  await store.close();
  const log = examineLog(folder);
  expect(log.wholeFaults()).toEqual([]);
  expect([...log.rows()].flatMap(({ faults }) => faults)).toEqual([]);
  log.close();
});

test('a copy of a log that was not closed is renewed with everything it holds', async () => {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  await fill(store, 9);
  const events = await readWholeLog(store);
  const copy = copyLog(folder);
  await store.close();
  const { epoch } = renewEpoch(copy);
  expect(await eventsOf(copy)).toEqual({
    epoch,
    events: events.map((event) => ({ ...event, epoch })),
  });
});

test('a follower of the lost end is told, even when the restored log has grown past it', async () => {
  const folder = await filled();
  const backup = copyLog(folder);
  const lost = await openEmbeddedStore({ folder });
  await lost.append('pool-lost', 'no-stream', [sampleEvent('lost')]);
  const last = (await readWholeLog(lost)).at(-1);
  if (last === undefined) throw new Error('the log is empty');
  const { epoch, position, id: eventId } = last;
  await lost.close();

  renewEpoch(backup);
  const restored = await openEmbeddedStore({ folder: backup });
  await fill(restored, 5, 'other');
  const following = async (): Promise<SubscriptionMessage | undefined> => {
    for await (const message of restored.subscribe({ after: { epoch, position, eventId } })) {
      return message;
    }
    return undefined;
  };
  expect((await refusal(following())).code).toBe('checkpoint-mismatch');
  await restored.close();
});

test('cut short between the log and its head record, it does not open; once more completes it', async () => {
  const folder = await filled();
  const before = await eventsOf(folder);
  expect(() =>
    renewEpoch(folder, 'first try', {
      beforeRecord: () => {
        throw new Error('power cut');
      },
    }),
  ).toThrow('power cut');
  const refusedOpening = await refusal(openEmbeddedStore({ folder }));
  expect(refusedOpening.code).toBe('corrupt');
  expect(refusedOpening.message).toContain('first try');
  const { epoch } = renewEpoch(folder);
  const after = await eventsOf(folder);
  expect(after.epoch).toBe(epoch);
  expect(after.events.map(({ id }) => id)).toEqual(before.events.map(({ id }) => id));
});

test('an empty log gets another epoch too', async () => {
  const folder = await filled(0);
  const { epoch, head } = renewEpoch(folder);
  expect(head).toBeNull();
  expect(await eventsOf(folder)).toEqual({ epoch, events: [] });
});

test('a log that is in use, missing or not whole is left as it is', async () => {
  const folder = await filled();
  const open = await openEmbeddedStore({ folder });
  expect(refused(() => renewEpoch(folder)).code).toBe('store-in-use');
  await open.close();
  const { epoch } = await eventsOf(folder);

  const nowhere = refused(() => renewEpoch(newFolder()));
  expect(nowhere.code).toBe('unavailable');
  expect(nowhere.message).toMatch(/there is no event log in .*: name its folder/);
  expect(refused(() => renewEpoch(folder, epoch)).code).toBe('invalid');

  // The record knows of a tail that the copy does not have.
  const record = readHeadRecord(folder);
  if (typeof record !== 'object') throw new Error(record);
  writeHeadRecord(folder, { ...record, position: record.position + 1 });
  expect(refused(() => renewEpoch(folder)).message).toMatch(/its tail is lost/);
  writeHeadRecord(folder, record);

  rmSync(path.join(folder, FILES.head));
  expect(refused(() => renewEpoch(folder)).message).toMatch(/head record .* is missing/);
  writeHeadRecord(folder, record);
  const db = openDatabase(path.join(folder, FILES.log));
  db.exec('DELETE FROM events WHERE position = 3');
  db.close();
  expect(refused(() => renewEpoch(folder)).code).toBe('corrupt');
  expect(readHeadRecord(folder)).toMatchObject({ epoch });
});
