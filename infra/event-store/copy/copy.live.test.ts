// Whatever log is copied, the other one is the same, however often the copy is cut off on the way and
// begun again, and whatever the server does meanwhile; and no difference between two is passed over.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import { MAX_EVENT_BYTES, type StoredEvent } from '@bivouac/events/language';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Fault, ServedCall } from '../../dev/eventstore/faults.ts';
import { type ServedEventStore, serveEventStore } from '../../dev/eventstore/server.ts';
import { readWholeLog, refusal, sampleEvent, sampleEvents } from '../contract/samples.ts';
import { openEventStoreDb } from '../eventstoredb/store.ts';
import { memoryEventStore } from '../memory.ts';
import type { EventStore } from '../port.ts';
import { compareLogs } from './compare.ts';
import { copyEvents } from './copy.ts';
import { openCopyTarget, openExistingStore } from './open.ts';
import { runsOf } from './runs.ts';

const patience = { append: 1500, idle: 1000, attempts: 3, pause: 5 };
const persistence = { attempts: 3, pause: 5 };
const none: ReadonlySet<string> = new Set();

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function folderOfOurs(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'bivouac-copy-'));
  closing.push(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

interface World {
  readonly log: EventStore;
  readonly server: ServedEventStore;
  readonly folder: string;
  faults: (call: ServedCall) => Fault | undefined;
}

/** An empty server whose positions have gaps, as a real one's. */
async function emptyServer(): Promise<World> {
  const log = memoryEventStore();
  const world: { faults: World['faults'] } = { faults: () => undefined };
  const server = await serveEventStore({ store: log, stride: 197, faults: (c) => world.faults(c) });
  closing.push(async () => {
    await server.close();
    await log.close();
  });
  return Object.assign(world, { log, server, folder: folderOfOurs() });
}

const originOf = (events: readonly StoredEvent[]) => ({
  epoch: 'old',
  events: events.length,
  last: events.at(-1)?.id ?? null,
});

function begin({ server, folder }: World, events: readonly StoredEvent[]) {
  return openCopyTarget({ url: server.url, folder, patience, origin: originOf(events) });
}

/** One whole attempt, as the command makes it. Throws where it is cut off. */
async function copyOnce(world: World, events: readonly StoredEvent[]): Promise<number> {
  const target = await begin(world, events);
  try {
    const { appended } = await copyEvents({
      ...{ source: () => events, target: target.store, own: none, persistence },
    });
    expect((await compareLogs(events, target.store)).difference).toBeUndefined();
    await target.completed();
    return appended;
  } finally {
    await target.store.close();
  }
}

const fields = (events: readonly StoredEvent[]) =>
  events.map(({ position: _p, epoch: _e, data, ...rest }) => ({
    ...rest,
    data: Buffer.from(data).toString('base64'),
  }));

/** A log of so many appends: streams by number, events and their bytes. */
const logs = fc
  .array(
    fc.record({
      stream: fc.integer({ min: 0, max: 4 }),
      events: fc.integer({ min: 1, max: 6 }),
      bytes: fc.oneof(
        { weight: 20, arbitrary: fc.integer({ min: 2, max: 300 }) },
        { weight: 1, arbitrary: fc.constant(MAX_EVENT_BYTES) },
      ),
      text: fc
        .string({ unit: 'binary', maxLength: 40 })
        .filter((t) => !/[\0\ud800-\udfff]/u.test(t)),
    }),
    { maxLength: 25 },
  )
  .map((appends) => appends.map((each, i) => ({ ...each, i })));

async function logOf(
  appends: readonly { stream: number; events: number; bytes: number; text: string; i: number }[],
): Promise<StoredEvent[]> {
  const store = memoryEventStore();
  const heads = new Map<number, bigint>();
  for (const { stream, events, bytes, text, i } of appends) {
    const head = heads.get(stream);
    const { revision } = await store.append(
      `pool-${stream}`,
      head ?? 'no-stream',
      sampleEvents(`${i}`, events, {
        actorid: text,
        inputhash: text,
        data: Buffer.from(JSON.stringify('x'.repeat(bytes - 2))),
      }),
    );
    heads.set(stream, revision);
  }
  const all = await readWholeLog(store);
  await store.close();
  return all;
}

describe('any log', () => {
  test('is there as it was: order, streams, revisions, envelopes and bytes', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async (appends) => {
        const events = await logOf(appends);
        const world = await emptyServer();
        expect(await copyOnce(world, events)).toBe(events.length);
        const copy = await openEventStoreDb({ url: world.server.url, folder: world.folder });
        closing.push(() => copy.close());
        expect(fields(await readWholeLog(copy))).toEqual(fields(events));
      }),
      { numRuns: 25 },
    );
  });

  test('is there once, however often and wherever the copy is cut off and begun again', async () => {
    await fc.assert(
      fc.asyncProperty(
        logs,
        fc.array(
          fc.record({
            after: fc.integer({ min: 0, max: 8 }),
            when: fc.constantFrom('before', 'after'),
            method: fc.constantFrom('append', 'read'),
          }),
          { maxLength: 5 },
        ),
        async (appends, cuts) => {
          const events = await logOf(appends);
          const world = await emptyServer();
          for (const { after, when, method } of cuts) {
            let calls = 0;
            // From this call on the server is gone for the one that copies now.
            world.faults = (call) =>
              call.method === method && calls++ >= after
                ? { fault: 'fail', when, code: status.UNAVAILABLE, details: 'gone' }
                : undefined;
            await copyOnce(world, events).catch((error: unknown) => {
              expect(error).toHaveProperty('name', 'EventStoreError');
            });
          }
          world.faults = () => undefined;
          await copyOnce(world, events);
          const hidden = (await readWholeLog(world.log)).filter((e) => e.stream !== 'epoch-log');
          expect(fields(hidden)).toEqual(fields(events));
        },
      ),
      { numRuns: 15 },
    );
  });

  test('is cut into appends that a server takes, the same from wherever one begins', async () => {
    await fc.assert(
      fc.asyncProperty(logs, fc.nat(), async (appends, at) => {
        const events = await logOf(appends);
        const runs = [...runsOf(events)];
        expect(runs.flat()).toEqual(events);
        for (const run of runs) {
          expect(new Set(run.map((e) => e.stream)).size).toBe(1);
          expect(run.reduce((sum, e) => sum + e.data.length, 0)).toBeLessThanOrEqual(512 * 1024);
        }
        const from = runs.length === 0 ? 0 : at % runs.length;
        expect([...runsOf(runs.slice(from).flat())]).toEqual(runs.slice(from));
      }),
    );
  });
});

test('two who copy the same log at once make one copy of it', async () => {
  const events = await logOf(
    Array.from({ length: 40 }, (_, i) => ({
      ...{ stream: i % 3, events: 2 },
      bytes: 40,
      text: 'a',
      i,
    })),
  );
  const world = await emptyServer();
  await Promise.all([copyOnce(world, events), copyOnce(world, events)]);
  const hidden = (await readWholeLog(world.log)).filter((e) => e.stream !== 'epoch-log');
  expect(fields(hidden)).toEqual(fields(events));
});

test('a command given again after it was forgotten has its ids twice, and both are copied', async () => {
  const store = memoryEventStore();
  await store.append('pool-1', 'no-stream', sampleEvents('same', 2));
  await store.append('pool-1', 1n, sampleEvents('same', 2));
  const events = await readWholeLog(store);
  const world = await emptyServer();
  expect(await copyOnce(world, events)).toBe(4);
});

describe('a target', () => {
  const some = (seed: string) => logOf([{ stream: 0, events: 3, bytes: 9, text: seed, i: 7 }]);

  test('that is half a copy is opened by nobody, and by all when it is complete', async () => {
    const events = await some('a');
    const world = await emptyServer();
    const target = await begin(world, events);
    closing.push(() => target.store.close());
    const { url } = world.server;
    const folder = path.join(world.folder, 'other');
    for (const open of [openEventStoreDb, openExistingStore]) {
      const refused = await refusal(open({ url, folder }));
      expect(refused.code).toBe('unavailable');
      expect(refused.message).toMatch(
        /only a part of the log of epoch old .*goes on where it stopped/,
      );
    }
    await target.completed();
    const opened = await openEventStoreDb({ url, folder });
    closing.push(() => opened.close());
    expect((await opened.head()).epoch).toBe(target.epoch);
    expect(target.epoch).not.toBe('old');
  });

  test('that is not empty is refused and left as it is', async () => {
    const events = await some('a');
    const used = await emptyServer();
    const store = await openEventStoreDb({ url: used.server.url, folder: used.folder });
    closing.push(() => store.close());
    const before = await readWholeLog(used.log);
    expect((await refusal(begin(used, events))).message).toMatch(
      /not empty: it has the log of epoch/,
    );
    expect(await readWholeLog(used.log)).toEqual(before);
    const foreign = await emptyServer();
    await foreign.log.append('theirs-1', 'no-stream', [sampleEvent('theirs')]);
    expect((await refusal(begin(foreign, events))).message).toMatch(/not empty: it has events/);
  });

  test('that holds another log’s copy, or this one’s as it ended before, is refused', async () => {
    const events = await some('a');
    const world = await emptyServer();
    await (await begin(world, events)).store.close();
    const { url } = world.server;
    const other = { url, folder: world.folder, origin: { ...originOf(events), epoch: 'other' } };
    expect((await refusal(openCopyTarget(other))).message).toMatch(/copy of the log of epoch old/);
    const grown = {
      ...other,
      origin: { ...originOf(events), events: 4, last: sampleEvent('x').id },
    };
    const refused = await refusal(openCopyTarget(grown));
    expect(refused.code).toBe('invalid');
    expect(refused.message).toMatch(/it had 3 events.*and has 4/);
  });

  test('that somebody else writes to is refused', async () => {
    const events = await some('a');
    const world = await emptyServer();
    const target = await begin(world, events);
    closing.push(() => target.store.close());
    await world.log.append('pool-0', 'no-stream', sampleEvents('theirs', 1));
    const copying = copyEvents({
      source: () => events,
      target: target.store,
      own: none,
      persistence,
    });
    expect((await refusal(copying)).message).toMatch(/the log that is copied has not/);
  });

  test('that is no EventStoreDB, or away, or has no log to compare with, is refused', async () => {
    const folder = folderOfOurs();
    const origin = originOf([]);
    const wrong = await refusal(openCopyTarget({ url: 'sqlite:./data', folder, origin }));
    expect(wrong.message).toMatch(/sqlite: names no EventStoreDB: expected esdb:/);
    const url = 'esdb://127.0.0.1:1?tls=false';
    expect((await refusal(openCopyTarget({ url, folder, origin, patience }))).code).toBe(
      'unavailable',
    );
    const world = await emptyServer();
    expect((await refusal(openExistingStore({ url: world.server.url, folder }))).message).toMatch(
      /no log of Bivouac/,
    );
    expect(await readWholeLog(world.log)).toEqual([]);
  });

  test('that is away for a while is waited for', async () => {
    const events = await logOf(
      Array.from({ length: 6 }, (_, i) => ({
        ...{ stream: i % 2, events: 1 },
        bytes: 9,
        text: '',
        i,
      })),
    );
    const world = await emptyServer();
    let away = 0;
    world.faults = ({ method }) =>
      method === 'append' && away++ % 4 === 3 ? { fault: 'hang', when: 'after' } : undefined;
    expect(await copyOnce(world, events)).toBe(6);
  });
});

describe('a difference', () => {
  const changes: [string, (event: StoredEvent) => StoredEvent | undefined, RegExp][] = [
    ['an event that is missing', () => undefined, /stands where .*pool-1/],
    ['another id', (e) => ({ ...e, id: sampleEvent('other').id }), /^id of .*pool-1/],
    ['another time', (e) => ({ ...e, time: '2027-01-01T00:00:00.000Z' }), /^time of/],
    ['another type', (e) => ({ ...e, type: 'a.Other' }), /^type of/],
    ['another version', (e) => ({ ...e, schemaver: 2 }), /^schemaver of/],
    ['another tenant', (e) => ({ ...e, tenantid: 't' }), /^tenantid of/],
    ['another home', (e) => ({ ...e, homeid: 'h' }), /^homeid of/],
    ['another actor', (e) => ({ ...e, actorid: 'a' }), /^actorid of/],
    ['another correlation', (e) => ({ ...e, correlationid: 'c' }), /^correlationid of/],
    ['another cause', (e) => ({ ...e, causationid: 'c' }), /^causationid of/],
    ['another command', (e) => ({ ...e, commandkey: e.id }), /^commandkey of/],
    ['another hash', (e) => ({ ...e, inputhash: 'h' }), /^inputhash of/],
    ['one byte', (e) => ({ ...e, data: Buffer.from(e.data).fill(0x20, 1, 2) }), /other bytes/],
  ];
  test.each(changes)('of %s is found and named', async (_, change, named) => {
    const store = memoryEventStore();
    for (let i = 0; i < 3; i++)
      await store.append(`pool-${i}`, 'no-stream', sampleEvents(`${i}`, 2));
    const source = await readWholeLog(store);
    const events = source.flatMap((event, i) => (i === 2 ? (change(event) ?? []) : [event]));
    const target = { readAll: () => Promise.resolve({ events, end: true }) };
    const { difference, digests, equal } = await compareLogs(source, target);
    expect(equal).toBe(2);
    expect(difference).toEqual({ event: 3, what: expect.stringMatching(named) });
    expect(digests.source).not.toBe(digests.target);
  });

  test('of two events that have changed places, or of a tail, is found', async () => {
    const store = memoryEventStore();
    for (let i = 0; i < 3; i++)
      await store.append(`pool-${i}`, 'no-stream', sampleEvents(`${i}`, 1));
    const source = await readWholeLog(store);
    const target = (events: readonly StoredEvent[]) => ({
      readAll: () => Promise.resolve({ events, end: true }),
    });
    const swapped = [source[1], source[0], source[2]].flatMap((e) => e ?? []);
    expect((await compareLogs(source, target(swapped))).difference?.event).toBe(1);
    expect((await compareLogs(source, target(source.slice(0, 2)))).difference).toEqual({
      event: 3,
      what: expect.stringMatching(/missing: revision 0 of pool-2/),
    });
    const more = await compareLogs(source.slice(0, 2), target(source));
    expect(more).toMatchObject({ difference: undefined, equal: 2, more: [{ stream: 'pool-2' }] });
  });
});
