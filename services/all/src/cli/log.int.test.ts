// The log of a real installation, stopped: verified and replayed as it is, and damaged in every way
// that an auditor should hear of.
import { cp, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createLogger, ManualClock, readConfig } from '@bivouac/infra/runtime';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';

import { sealFrame } from '../../../../infra/event-store/embedded/frame.js';
import { openDatabase } from '../../../../infra/event-store/embedded/sqlite.js';
import { play, START } from '../demo/scenario.ts';
import { startEmbedded } from '../embedded.ts';
import { newKey, seed } from '../seed/seed.ts';
import { run } from './run.ts';

const made: string[] = [];
let whole = '';

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bivouac-cli-'));
  made.push(folder);
  return folder;
}

async function start(
  folder: string,
  clock = new ManualClock(START),
  onFailure: (error: unknown) => void = (error) => {
    console.error(error);
  },
) {
  return startEmbedded({
    config: readConfig({
      DATA_DIR: folder,
      EVENT_STORE_URL: `sqlite:${folder}`,
      NODE_URL: 'fake:',
    }),
    clock,
    logger: createLogger('silent', process.stderr),
    onFailure,
  });
}

beforeAll(async () => {
  whole = await newFolder();
  const installation = await start(whole);
  const { host, provider } = installation;
  const seeded = await seed(host, provider);
  await newKey(host, seeded.customer, seeded.ownerMemberId, 'a key', 'a key');
  await host.settled();
  await installation.stop(10_000);
});

afterAll(async () => {
  for (const folder of made) await rm(folder, { recursive: true, force: true });
});

async function copied(): Promise<string> {
  const folder = await newFolder();
  await cp(whole, folder, { recursive: true });
  return folder;
}

const VerificationSchema = z.object({
  ok: z.boolean(),
  faultCount: z.number(),
  faults: z.array(z.object({ position: z.string().nullable(), what: z.string() })),
  counts: z.record(z.string(), z.number()),
});

async function verified(folder: string) {
  const { exitCode, text } = await run(['log', 'verify', '--data', folder, '--json']);
  return { exitCode, ...VerificationSchema.parse(JSON.parse(text)) };
}

function change(file: string, sql: string): void {
  const db = openDatabase(file);
  db.exec(sql);
  db.close();
}

test('the log of an installation stopped in order is whole, and its commitments are proved', async () => {
  const found = await verified(await copied());
  expect(found.faults).toEqual([]);
  expect(found).toMatchObject({ exitCode: 0, ok: true, counts: { commitmentsUnchecked: 0 } });
  expect(found.counts['commitmentsProved']).toBeGreaterThan(0);
  const { text } = await run(['log', 'verify', '--data', whole]);
  expect(text).toMatch(/\d+ events of \d+ types[^]*\nok$/);
});

test('keys that are elsewhere, with their master key apart, prove the same', async () => {
  const folder = await copied();
  const elsewhere = await newFolder();
  const [keys, master] = [path.join(elsewhere, 'keys'), path.join(elsewhere, 'master')];
  await rename(path.join(folder, 'keys'), keys);
  await rename(path.join(keys, 'master.key'), master);
  const arguments_ = ['log', 'verify', '--data', folder, '--keys', `folder:${keys}`];
  const without = await run(['log', 'verify', '--data', folder]);
  expect(without.text).toContain(`not checked (there is no ${path.join(folder, 'keys')})`);
  const { text } = await run([...arguments_, '--keys-master', master, '--json']);
  expect(VerificationSchema.parse(JSON.parse(text))).toMatchObject({
    ok: true,
    counts: { commitmentsUnchecked: 0 },
  });
  // The master key is not among them any more, and none is made in its place.
  expect((await run(arguments_)).text).toContain(`${path.join(keys, 'master.key')} is missing`);
});

test('a flipped byte is named by its position, and what lies behind it is still read', async () => {
  const folder = await copied();
  const file = path.join(folder, 'events.sqlite');
  change(
    file,
    `UPDATE events SET frame = CAST(substr(frame, 1, 40) || x'00' || substr(frame, 42) AS BLOB) WHERE position = 5`,
  );
  const found = await verified(folder);
  expect(found.exitCode).toBe(1);
  expect(found.faults[0]).toEqual({
    position: '00000000000000000005',
    what: expect.stringMatching(/checksum/),
  });
  expect(found.counts['events']).toBe((await verified(whole)).counts['events']);
});

test('a row rewritten with a right checksum breaks the chain to the row behind it', async () => {
  const folder = await copied();
  const db = openDatabase(path.join(folder, 'events.sqlite'));
  const row = z
    .object({ frame: z.instanceof(Uint8Array) })
    .parse(db.prepare('SELECT frame FROM events WHERE position = 9').get());
  const frame = Buffer.from(row.frame);
  // What a forger would do: another time, and the sum made anew.
  const time = frame.indexOf('.000Z');
  frame.write('.999Z', time);
  sealFrame(frame, 9, frame.readUInt32LE(4));
  db.prepare('UPDATE events SET frame = ? WHERE position = 9').run(frame);
  db.close();
  const { exitCode, faults } = await verified(folder);
  expect(exitCode).toBe(1);
  expect(faults).toContainEqual({
    position: '00000000000000000010',
    what: expect.stringMatching(/chain is broken/),
  });
});

test('a tail cut off is missed, because the head is recorded apart', async () => {
  const folder = await copied();
  change(
    path.join(folder, 'events.sqlite'),
    'DELETE FROM events WHERE position = (SELECT max(position) FROM events)',
  );
  const found = await verified(folder);
  expect(found).toMatchObject({ exitCode: 1, faultCount: 1 });
  expect(found.faults[0]?.what).toMatch(/tail is lost/);
});

test('a row taken out of the middle leaves a gap in the positions and in its stream', async () => {
  const folder = await copied();
  change(path.join(folder, 'events.sqlite'), 'DELETE FROM events WHERE position = 7');
  const found = await verified(folder);
  expect(found.exitCode).toBe(1);
  expect(found.faults[0]).toEqual({
    position: '00000000000000000008',
    what: 'position 7 is missing before it',
  });
});

test('a commitment that no key opens is a fault; without keys it is counted as not checked', async () => {
  const folder = await copied();
  const persons = path.join(folder, 'keys', 'persons');
  const files = await readdir(persons, { recursive: true, withFileTypes: true });
  for (const entry of files.filter(({ name }) => name.endsWith('.key'))) {
    await rm(path.join(entry.parentPath, entry.name));
  }
  expect((await verified(folder)).faults[0]?.what).toMatch(/commitment is not proved.*missing/);
  await rm(path.join(folder, 'keys'), { recursive: true });
  const without = await verified(folder);
  expect(without).toMatchObject({ exitCode: 0, counts: { commitmentsProved: 0 } });
  expect(without.counts['commitmentsUnchecked']).toBeGreaterThan(0);
});

test('replaying gives every read model again; a changed row is named; nothing live is touched', async () => {
  const folder = await copied();
  const good = await run(['log', 'replay', '--data', folder]);
  expect(good.text).not.toMatch(/DIFFERENT|NOT/);
  expect(good).toMatchObject({ exitCode: 0, text: expect.stringMatching(/\nok$/) });

  const views = path.join(folder, 'views');
  const [name] = (await readdir(views)).filter((file) => /^accounts\.\d+$/.test(file));
  if (name === undefined) throw new Error('accounts has no read model');
  const file = path.join(views, name);
  const db = openDatabase(file);
  const tables = z
    .array(z.object({ name: z.string() }))
    .parse(db.prepare(`SELECT name FROM sqlite_schema WHERE sql LIKE '%body TEXT%'`).all());
  for (const table of tables) {
    db.exec(`UPDATE ${table.name} SET body = replace(body, 'Provider', 'Forger')`);
  }
  db.close();
  const before = await readdir(views);
  const bad = await run(['log', 'replay', '--data', folder]);
  expect(bad).toMatchObject({ exitCode: 1 });
  expect(bad.text).toMatch(
    /accounts at \d+: DIFFERENT, first in table accounts at key ten_\w+ \(other row\)/,
  );
  // Looking changed nothing: what was different is so again.
  expect(await readdir(views)).toEqual(before);
  expect(await run(['log', 'replay', '--data', folder])).toEqual(bad);
});

test('read models that are gone, or of another log, are not called equal', async () => {
  const folder = await copied();
  await rm(path.join(folder, 'views'), { recursive: true });
  const gone = await run(['log', 'replay', '--data', folder]);
  expect(gone).toMatchObject({ exitCode: 1, text: expect.stringMatching(/has no read model yet/) });
});

test('a log in use, a folder without one and a wrong line are refused with what to do', async () => {
  const folder = await copied();
  const installation = await start(folder);
  const inUse = await run(['log', 'verify', '--data', folder]);
  await installation.stop(10_000);
  expect(inUse).toMatchObject({ exitCode: 2, text: expect.stringMatching(/in use.*stop it/) });
  const empty = await newFolder();
  expect(await run(['log', 'replay', '--data', empty])).toMatchObject({
    exitCode: 2,
    text: expect.stringMatching(/there is no event log/),
  });
  expect(await readdir(empty)).toEqual([]);
  await writeFile(path.join(empty, 'events.sqlite'), 'no database at all');
  expect((await run(['log', 'verify', '--data', empty])).exitCode).toBe(2);
  expect(await run(['log', 'forge'])).toMatchObject({
    exitCode: 2,
    text: expect.stringMatching(/no command log forge[^]*Usage/),
  });
  expect((await run(['log', 'verify', '--faults', 'x'])).exitCode).toBe(2);
  expect((await run(['--help'])).exitCode).toBe(0);
});

test('a log restored from an older copy, with a new epoch: old read models refuse it, new ones are made', async () => {
  const folder = await copied();
  const backup = await copied();
  const later = await start(folder);
  const { customer, ownerMemberId } = await seed(later.host, later.provider);
  await newKey(later.host, customer, ownerMemberId, 'of the lost end', 'of the lost end');
  await later.host.settled();
  await later.stop(10_000);
  for (const file of ['events.sqlite', 'events.head']) {
    await cp(path.join(backup, file), path.join(folder, file));
  }
  const { exitCode, text } = await run(['log', 'new-epoch', '--data', folder, '--json']);
  const renewed = z
    .object({ ok: z.literal(true), before: z.string(), epoch: z.string() })
    .parse(JSON.parse(text));
  expect(exitCode).toBe(0);
  expect(renewed.epoch).not.toBe(renewed.before);

  const told: unknown[] = [];
  const starting = start(folder, new ManualClock(START), (error) => told.push(error));
  await expect(starting).rejects.toThrow(/cannot follow this log: its epoch is/);
  expect(told).not.toEqual([]);
  await rm(path.join(folder, 'views'), { recursive: true });
  const restored = await start(folder);
  expect((await restored.store.head()).epoch).toBe(renewed.epoch);
  // It takes commands again, and reactions go on behind the checkpoints that came with the log.
  const key = await newKey(restored.host, customer, ownerMemberId, 'after', 'after');
  expect(key).not.toBe('');
  await restored.host.settled();
  await restored.stop(10_000);
  expect(await verified(folder)).toMatchObject({ exitCode: 0, faults: [] });
}, 60_000);

test('a damaged copy gets no epoch: it is named and left as it is', async () => {
  const folder = await copied();
  change(
    path.join(folder, 'events.sqlite'),
    `UPDATE events SET frame = CAST(substr(frame, 1, 40) || x'00' || substr(frame, 42) AS BLOB) WHERE position = 5`,
  );
  const { exitCode, text } = await run(['log', 'new-epoch', '--data', folder]);
  expect(exitCode).toBe(1);
  expect(text).toMatch(/NOT done, nothing was changed: 0+5: .*checksum/);
  const { faults } = await verified(folder);
  expect(faults.map(({ what }) => what)).not.toContainEqual(expect.stringMatching(/epoch/));
});

const BillsSchema = z.object({
  ok: z.boolean(),
  invoices: z.number(),
  totals: z.record(z.string(), z.record(z.string(), z.string())),
  mismatches: z.array(z.string()),
});

test('invoices are worked out again, and one over a cent more is named', async () => {
  const folder = await newFolder();
  const clock = new ManualClock(START);
  const installation = await start(folder, clock);
  await play(installation, clock, () => undefined);
  await installation.stop(10_000);
  const billed = async () => {
    const { exitCode, text } = await run(['log', 'bills', '--data', folder, '--json']);
    return { exitCode, ...BillsSchema.parse(JSON.parse(text)) };
  };
  expect(await billed()).toEqual({
    ...{ exitCode: 0, ok: true, invoices: 1, mismatches: [] },
    totals: { [installation.provider.tenantId]: { EUR: '2507' } },
  });

  const db = openDatabase(path.join(folder, 'events.sqlite'));
  const row = z
    .object({ position: z.coerce.number(), frame: z.instanceof(Uint8Array) })
    .parse(
      db
        .prepare(
          "SELECT position, frame FROM events WHERE stream LIKE 'series-%' ORDER BY position",
        )
        .get(),
    );
  const frame = Buffer.from(row.frame);
  frame.write('25.08', frame.indexOf('25.07'));
  sealFrame(frame, row.position, frame.readUInt32LE(4));
  db.prepare('UPDATE events SET frame = ? WHERE position = ?').run(frame, row.position);
  db.close();
  expect(await billed()).toMatchObject({
    ...{ exitCode: 1, ok: false },
    mismatches: [expect.stringMatching(/invoiced 2508 EUR.*recomputed 2507 EUR/)],
  });
}, 60_000);
