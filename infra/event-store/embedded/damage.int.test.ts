// A damaged log is found and named, at opening or by the read that meets it; nothing is skipped.
import {
  appendFileSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StoredEvent } from '@bivouac/events/language';
import { refusal } from '../contract/samples.ts';
import { EventStoreError } from '../port.ts';
import { LogFailure } from './failure.js';
import { writeHeadRecord } from './head-record.js';
import { inspectLog } from './inspect.js';
import { LogReader } from './reader.ts';
import { FILES } from './schema.js';
import { openDatabase } from './sqlite.js';
import { openEmbeddedStore } from './store.ts';
import { copyLog, fill, newFolder, removeFolders, rendered } from './testing/folders.ts';

const SEED = 20260410;
/** A log closed in order, and one whose process was killed with all of it in the write-ahead log. */
let closed = '';
let killed = '';
let whole: StoredEvent[] = [];

beforeAll(async () => {
  const folder = newFolder();
  const store = await openEmbeddedStore({ folder });
  await fill(store, 80);
  whole = [...(await store.readAll()).events];
  killed = copyLog(folder);
  await store.close();
  closed = copyLog(folder);
  writeFileSync(path.join(killed, FILES.head), readFileSync(path.join(closed, FILES.head)));
});
afterAll(removeFolders);

/** Opens and reads everything by every way, without a writer. Answers what is wrong, if anything. */
async function readEverything(folder: string): Promise<string | undefined> {
  let reader: LogReader | undefined;
  try {
    const end = inspectLog(folder);
    reader = new LogReader(folder, end.epoch);
    const log = await reader.log(1, end.position + 1);
    if (rendered(log) !== rendered(whole)) return 'SILENT: the log differs';
    for (const stream of new Set(whole.map((e) => e.stream))) {
      const expected = whole.filter((e) => e.stream === stream);
      if (reader.streamHead(stream) !== expected.length - 1) return `SILENT: head of ${stream}`;
      const read = await reader.stream(stream, 0, expected.length);
      if (rendered(read) !== rendered(expected)) return `SILENT: stream ${stream} differs`;
    }
    for (const home of new Set(whole.map((e) => e.homeid))) {
      const read = await reader.home(home, 0, end.position, end.position + 1);
      const expected = whole.filter((e) => e.homeid === home);
      if (rendered(read) !== rendered(expected)) return `SILENT: home ${home} differs`;
    }
    return undefined;
  } catch (error) {
    if (error instanceof LogFailure || error instanceof EventStoreError) {
      return error.code === 'corrupt' ? error.message : `WRONG CODE: ${error.message}`;
    }
    // What SQLite itself refuses to read is named as well; the store calls it corrupt.
    return `SQLite: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    reader?.close();
  }
}

/** Numbers below `limit`, the same for the same seed (mulberry32). */
function* seeded(seed: number, limit: number): Generator<number, never, undefined> {
  for (let state = seed; ;) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    yield ((t ^ (t >>> 14)) >>> 0) % limit;
  }
}

async function flipEverywhere(from: string, name: string, flips: number): Promise<string[]> {
  const folder = copyLog(from);
  const file = path.join(folder, name);
  const sound = readFileSync(path.join(from, name));
  const bits = seeded(SEED, sound.length * 8);
  const answers: string[] = [];
  for (let i = 0; i < flips; i++) {
    const bit = bits.next().value;
    const damaged = Buffer.from(sound);
    damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    writeFileSync(file, damaged);
    const answer = await readEverything(folder);
    answers.push(answer === undefined ? 'harmless' : `bit ${bit} (seed ${SEED}): ${answer}`);
  }
  return answers;
}

test('an undamaged log, closed or killed, reads whole', async () => {
  expect(await readEverything(copyLog(closed))).toBeUndefined();
  expect(statSync(path.join(killed, `${FILES.log}-wal`)).size).toBeGreaterThan(50_000);
  expect(await readEverything(copyLog(killed))).toBeUndefined();
});

test('a bit flipped anywhere in a closed log is found or changes nothing', async () => {
  const answers = await flipEverywhere(closed, FILES.log, 400);
  expect(answers.filter((a) => /SILENT|WRONG/.test(a))).toEqual([]);
  expect(answers.filter((a) => a !== 'harmless').length).toBeGreaterThan(100);
});

test('a bit flipped anywhere in the write-ahead log of a killed log is found or changes nothing', async () => {
  const answers = await flipEverywhere(killed, `${FILES.log}-wal`, 250);
  expect(answers.filter((a) => /SILENT|WRONG/.test(a))).toEqual([]);
  expect(answers.filter((a) => a.includes('lost')).length).toBeGreaterThan(50);
});

test('a bit flipped anywhere in the head record is found', async () => {
  const answers = await flipEverywhere(closed, FILES.head, 60);
  expect(answers.filter((a) => !a.includes('head record'))).toEqual([]);
});

test('a write-ahead log cut anywhere is named as a lost tail', async () => {
  const size = statSync(path.join(killed, `${FILES.log}-wal`)).size;
  const cuts = seeded(SEED, size);
  for (let i = 0; i < 40; i++) {
    const folder = copyLog(killed);
    const cut = cuts.next().value;
    truncateSync(path.join(folder, `${FILES.log}-wal`), cut);
    const answer = await readEverything(folder);
    // A log cut within its very beginning has not even tables.
    expect(`${cut}: ${answer}`).toMatch(/lost|not a log of this version|SQLite/);
  }
});

test('what was found damaged is left as it was', async () => {
  const folder = copyLog(killed);
  const wal = path.join(folder, `${FILES.log}-wal`);
  const damaged = readFileSync(wal);
  damaged.fill(0, damaged.length - 9000, damaged.length - 8990);
  writeFileSync(wal, damaged);
  const error = await refusal(openEmbeddedStore({ folder }));
  expect(error.code).toBe('corrupt');
  expect(error.message).toMatch(/tail is lost.*restore/);
  expect(Buffer.compare(readFileSync(wal), damaged)).toBe(0);
});

test.each([
  ['the first row', 'position = 1', /1 missing/],
  ['a row in the middle', 'position = 40', /1 missing/],
  ['two rows in the middle', 'position BETWEEN 40 AND 41', /2 missing/],
  ['the last row', 'position = (SELECT max(position) FROM events)', /tail is lost/],
  ['all rows', 'true', /tail is lost/],
])('a log without %s is refused, naming it', async (_, where, named) => {
  const folder = copyLog(closed);
  change(folder, `DELETE FROM events WHERE ${where}`);
  const error = await refusal(openEmbeddedStore({ folder }));
  expect(error.code).toBe('corrupt');
  expect(error.message).toMatch(named);
});

test('a row that stands where another was is found by every way to read it', async () => {
  const folder = copyLog(closed);
  change(
    folder,
    'UPDATE events SET frame = (SELECT frame FROM events WHERE position = 41) WHERE position = 40',
  );
  const store = await openEmbeddedStore({ folder });
  const at = whole[39];
  if (at === undefined) throw new Error('no event');
  const reads = [store.readAll(), store.readStream(at.stream), store.readHome(at.homeid)];
  for (const read of reads) expect((await refusal(read)).code).toBe('corrupt');
  expect((await refusal(followOnce(store.subscribe()))).code).toBe('corrupt');
  await store.close();
});

test('a log followed by rows that are not its own is found: the chain does not fit', async () => {
  const other = newFolder();
  const store = await openEmbeddedStore({ folder: other });
  await fill(store, 80);
  await store.close();
  const folder = copyLog(closed);
  change(
    folder,
    `ATTACH '${path.join(other, FILES.log)}' AS other;
     UPDATE events SET frame = (SELECT frame FROM other.events o WHERE o.position = events.position)
     WHERE position BETWEEN 30 AND 50;`,
  );
  expect(await readEverything(folder)).toMatch(/position 30 does not follow the one before it/);
});

test('a log whose file or head record is gone is refused, never begun anew', async () => {
  const withoutLog = copyLog(closed);
  unlinkSync(path.join(withoutLog, FILES.log));
  expect((await refusal(openEmbeddedStore({ folder: withoutLog }))).message).toMatch(/missing/);
  const emptied = copyLog(closed);
  truncateSync(path.join(emptied, FILES.log), 0);
  expect((await refusal(openEmbeddedStore({ folder: emptied }))).code).toBe('corrupt');
  const withoutHead = copyLog(closed);
  unlinkSync(path.join(withoutHead, FILES.head));
  expect((await refusal(openEmbeddedStore({ folder: withoutHead }))).message).toMatch(
    /head record/,
  );
});

test('an older copy of a log, even one written past the record, is not taken for the log', async () => {
  const folder = copyLog(closed);
  const store = await openEmbeddedStore({ folder });
  await fill(store, 20, 'newer');
  await store.close();
  const head = readFileSync(path.join(folder, FILES.head));

  const restored = copyLog(closed);
  writeFileSync(path.join(restored, FILES.head), head);
  expect((await refusal(openEmbeddedStore({ folder: restored }))).message).toMatch(/tail is lost/);

  const overtaken = copyLog(closed);
  const again = await openEmbeddedStore({ folder: overtaken });
  await fill(again, 40, 'overtaking');
  await again.close();
  writeFileSync(path.join(overtaken, FILES.head), head);
  expect((await refusal(openEmbeddedStore({ folder: overtaken }))).message).toMatch(
    /is not the one recorded/,
  );
});

test('a file that is no log of ours is refused and left alone', async () => {
  for (const content of ['', 'x'.repeat(5000)]) {
    const folder = newFolder();
    writeFileSync(path.join(folder, FILES.log), content);
    writeHeadRecord(folder, { epoch: 'e', position: 1, sum: 1 });
    expect((await refusal(openEmbeddedStore({ folder }))).code).toBe('corrupt');
    expect(readFileSync(path.join(folder, FILES.log), 'utf8')).toBe(content);
  }
  const folder = copyLog(closed);
  appendFileSync(path.join(folder, FILES.head), 'x');
  expect((await refusal(openEmbeddedStore({ folder }))).code).toBe('corrupt');
});

function change(folder: string, sql: string): void {
  const db = openDatabase(path.join(folder, FILES.log));
  db.exec(sql);
  db.close();
}

async function followOnce(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages) return;
}
