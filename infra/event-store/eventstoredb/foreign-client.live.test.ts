// A client that is not ours, Python's kurrentdbclient, agrees with the adapter on everything that
// both do on the same server: so neither the adapter nor the development server has a protocol of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { NewEvent, StoredEvent } from '@bivouac/events/language';
import { z } from 'zod';
import { type ServedEventStore, serveEventStore } from '../../dev/eventstore/server.ts';
import { readWholeLog, refusal, sampleEvent, sampleEvents } from '../contract/samples.ts';
import { openEmbeddedStore } from '../embedded/store.ts';
import type { EventStore } from '../port.ts';
import { encodeMetadata, EPOCH_STREAM } from './codec.ts';
import { ForeignClient, foreignPython } from './foreign-client.ts';
import { openEventStoreDb } from './store.ts';

const python = pythonThere();

/** Undefined where it cannot be had, which is said, and in CI a failure. */
function pythonThere(): string | undefined {
  try {
    return foreignPython(process.env['BIVOUAC_DEV_STATE']);
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    process.stderr.write(`${String(error)}\n`);
    return undefined;
  }
}

const Shown = z.array(
  z.object({
    id: z.string(),
    type: z.string(),
    stream: z.string(),
    revision: z.number(),
    commit: z.number(),
    contentType: z.string(),
    data: z.string(),
    metadata: z.string(),
  }),
);
type Shown = z.output<typeof Shown>[number];

if (python === undefined) {
  test('Python and its packages cannot be had here', () => {
    expect(process.env['CI']).not.toBe('true');
  });
} else {
  // Positions that are the numbers of events, and positions as a real log's are.
  describe.each([1, 197])('a client that is not ours, events %i bytes apart', (stride) => {
    agreement(python, stride);
  });
}

function agreement(program: string, stride: number): void {
  let folder = '';
  let log: EventStore;
  let server: ServedEventStore;
  let store: EventStore;
  let foreign: ForeignClient;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'bivouac-foreign-'));
    log = await openEmbeddedStore({ folder: path.join(folder, 'log') });
    server = await serveEventStore({ store: log, stride });
    store = await openEventStoreDb({ url: server.url, folder: path.join(folder, 'client') });
    foreign = new ForeignClient(program, server.url);
  });
  afterEach(async () => {
    await foreign.close();
    await store.close();
    await server.close();
    await log.close();
    rmSync(folder, { recursive: true });
  });

  const append = (
    stream: string,
    expected: number | null,
    events: readonly NewEvent[],
    plain = false,
  ): Promise<unknown> =>
    foreign.ask({
      ...{ do: 'append', stream, expected, plain },
      events: events.map((event) => ({
        id: event.id,
        type: event.type,
        data: Buffer.from(event.data).toString('base64'),
        metadata: Buffer.from(encodeMetadata(event)).toString(),
      })),
    });
  const readStream = async (stream: string, more: object = {}): Promise<Shown[]> =>
    Shown.parse(
      await foreign.ask({
        ...{ do: 'stream', stream, from: null, backwards: false, limit: 1000, ...more },
      }),
    );
  const readAll = async (more: object = {}): Promise<Shown[]> => {
    const all = await foreign.ask({
      ...{ do: 'all', commit: null, backwards: false, limit: 1000, ...more },
    });
    return Shown.parse(all).filter((event) => event.stream !== EPOCH_STREAM);
  };

  test('reads what we append: each field and byte, both ways, and where it stands', async () => {
    await store.append('pool-1', 'no-stream', sampleEvents('a', 7));
    await store.append('stréam-2', 'no-stream', sampleEvents('b', 600, { actorid: 'Zoë' }));
    await store.append('pool-1', 6n, [sampleEvent('c')]);
    const whole = await readWholeLog(store);
    const shown = whole.map(shownOf);
    expect(await readAll({ limit: 10_000 })).toEqual(shown);
    expect(await readAll({ limit: 10_000, backwards: true })).toEqual(shown.toReversed());
    const one = shown.filter(({ stream }) => stream === 'pool-1');
    expect(await readStream('pool-1')).toEqual(one);
    expect(await readStream('pool-1', { from: 2, limit: 3 })).toEqual(one.slice(2, 5));
    expect(await readStream('pool-1', { from: 5, backwards: true, limit: 2 })).toEqual([
      one[5],
      one[4],
    ]);
    const middle = shown[300];
    // Inclusive, as the protocol has it.
    expect(await readAll({ commit: middle?.commit, limit: 5 })).toEqual(shown.slice(300, 305));
    await expect(readStream('pool-none')).rejects.toMatchObject({ name: 'NotFoundError' });
  });

  test('appends what we read, by the plain and by the batched call', async () => {
    const [plain, batched] = [sampleEvent('plain'), sampleEvents('batched', 5)];
    expect(await append('pool-1', null, [plain], true)).toBeGreaterThan(0);
    await append('pool-1', 0, batched);
    const page = await store.readStream('pool-1');
    if (!page.exists) throw new Error('missing');
    expect(page.events.map(written)).toEqual([plain, ...batched].map(written));
    expect(await readWholeLog(store)).toEqual(page.events);
    expect((await store.readHome(plain.homeid)).events).toEqual(page.events);
    expect((await store.append('pool-1', 5n, [sampleEvent('ours')])).revision).toBe(6n);
  });

  test('loses the races that we win, and the other way round', async () => {
    await store.append('pool-1', 'no-stream', sampleEvents('ours', 2));
    for (const plain of [true, false]) {
      for (const expected of [null, 0, 5]) {
        const lost = append('pool-1', expected, [sampleEvent('late')], plain);
        await expect(lost).rejects.toMatchObject({ name: 'WrongCurrentVersionError' });
      }
      const absent = append('pool-none', 3, [sampleEvent('late')], plain);
      await expect(absent).rejects.toMatchObject({ name: 'WrongCurrentVersionError' });
    }
    await append('pool-1', 1, [sampleEvent('theirs')]);
    const lost = await refusal(store.append('pool-1', 1n, [sampleEvent('late')]));
    expect([lost.code, lost.actual]).toEqual(['conflict', 2n]);
    expect(await readWholeLog(store)).toHaveLength(3);
  });

  test('sends again what we sent, and we what it sent: it is there once, with the same answer', async () => {
    const [ours, theirs] = [sampleEvents('ours', 3), sampleEvents('theirs', 2)];
    const first = await store.append('pool-1', 'no-stream', ours);
    const second = await append('pool-1', 2, theirs);
    expect(await append('pool-1', null, ours)).toBe(Number(first.position));
    expect(await append('pool-1', 2, theirs)).toBe(second);
    expect(Number((await store.append('pool-1', 2n, theirs)).position)).toBe(second);
    expect(await store.append('pool-1', 'no-stream', ours)).toEqual(first);
    expect(await readWholeLog(store)).toHaveLength(5);
  });

  test('follows the log from its start and from a position, as it grows', async () => {
    await store.append('pool-1', 'no-stream', sampleEvents('before', 4));
    const position = (await readWholeLog(store))[1]?.position;
    const follow = (commit: number | null, count: number): Promise<unknown> =>
      foreign.ask({ do: 'follow', commit, count });
    const seen = follow(null, 7);
    await store.append('pool-2', 'no-stream', sampleEvents('during', 2));
    const shown = (await readWholeLog(store)).map(shownOf);
    const [epoch, ...events] = Shown.parse(await seen);
    expect(epoch?.stream).toBe(EPOCH_STREAM);
    expect(events).toEqual(shown);
    expect(await follow(Number(position), 4)).toEqual(shown.slice(2));
  });

  test('our follower sees what it appends, once and in order', async () => {
    const follower = store.subscribe()[Symbol.asyncIterator]();
    await follower.next();
    const events = sampleEvents('followed', 9);
    for (const [i, event] of events.entries())
      await append('pool-1', i === 0 ? null : i - 1, [event], i % 2 === 0);
    const seen: string[] = [];
    while (seen.length < events.length) {
      const step = await follower.next();
      if (step.done !== true && step.value.kind === 'events')
        seen.push(...step.value.events.map(({ id }) => id));
    }
    expect(seen).toEqual(events.map(({ id }) => id));
  });

  test('what it deletes is gone for both, and what it deletes for ever stays so', async () => {
    await store.append('pool-1', 'no-stream', sampleEvents('a', 3));
    await store.append('pool-2', 'no-stream', sampleEvents('b', 3));
    await foreign.ask({ do: 'delete', stream: 'pool-1', expected: 2 });
    expect(await store.readStream('pool-1')).toEqual({ exists: false });
    await expect(readStream('pool-1')).rejects.toMatchObject({ name: 'NotFoundError' });
    await append('pool-1', null, sampleEvents('anew', 2));
    expect((await readStream('pool-1')).map(({ revision }) => revision)).toEqual([3, 4]);
    await foreign.ask({ do: 'tombstone', stream: 'pool-2', expected: 2 });
    expect((await refusal(store.readStream('pool-2'))).code).toBe('deleted');
    for (const plain of [true, false]) {
      const late = append('pool-2', 2, [sampleEvent('late')], plain);
      await expect(late).rejects.toMatchObject({
        name: expect.stringMatching(/^(Stream(IsDeleted|Tombstoned)|FailedPrecondition)Error$/),
      });
    }
    expect((await refusal(store.append('pool-2', 2n, [sampleEvent('late')]))).code).toBe('deleted');
  });
}

/** A stored event as the other client shows it. */
function shownOf(event: StoredEvent): Shown {
  return {
    id: event.id,
    type: event.type,
    stream: event.stream,
    revision: Number(event.revision),
    commit: Number(event.position),
    contentType: 'application/octet-stream',
    data: Buffer.from(event.data).toString('base64'),
    metadata: Buffer.from(encodeMetadata(event)).toString(),
  };
}

/** What the writer said of an event; bodies by their bytes. */
function written(event: NewEvent): object {
  const { id, type, schemaver, time, tenantid, homeid, actorid, commandkey } = event;
  const data = Buffer.from(event.data).toString();
  return { id, type, schemaver, time, tenantid, homeid, actorid, commandkey, data };
}
