/**
 * The log on EventStoreDB's protocol: our adapter against the bare client doing the same to the same
 * server, in the same process. The server is the one that EVENT_STORE_URL names, or else the development
 * server in a process of its own: ratios say what the adapter costs, rates nothing of an EventStoreDB.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type BinaryEventData, EventStoreDBClient, NO_STREAM } from '@eventstore/db-client';
import { type EventStore, openEventStore } from '@bivouac/infra/event-store';

import { ended } from './children.ts';
import { type BenchPart, type Figure, pairsOf, progress, secondsOf } from './figure.ts';
import { type BenchRow, benchRows } from './limits/store-rows.ts';

/** Events of one side of a pair. */
const SINGLE = 200;
const WRITERS = 64;
const ROUNDS = 10;
const REPLAYED = 10_000;
/** Events in one append while the log is filled. */
const FILLING = 500;

/** `esdb.*`; takes about two minutes. */
export const esdbBenchmarks: BenchPart = {
  names: ['esdb.append.single', 'esdb.append.concurrent', 'esdb.replay'],
  run,
};

/** How the bare client appends: `classic` is the plain call that ours takes, `batched` its default. */
type Way = 'classic' | 'batched';

async function run(): Promise<Record<string, Figure>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bivouac-bench-'));
  const named = process.env['EVENT_STORE_URL'];
  const given = named?.startsWith('esdb') === true ? named : undefined;
  const server = given === undefined ? await started(folder) : undefined;
  const url = given ?? server?.url ?? '';
  progress(given === undefined ? 'on the development server' : `on the server of EVENT_STORE_URL`);
  const store = await openEventStore({ url, folder: path.join(folder, 'client') });
  const client = EventStoreDBClient.connectionString(url);
  try {
    const single = (way: Way): Promise<Figure> => appended(store, client, way, 1, SINGLE);
    const concurrent = (way: Way): Promise<Figure> => appended(store, client, way, WRITERS, ROUNDS);
    const figures = {
      'esdb.append.single': await single('classic'),
      'esdb.append.concurrent': await concurrent('classic'),
      'esdb.replay': await replayed(store, client),
    };
    for (const [name, figure] of [
      ['esdb.append.single', await single('batched')],
      ['esdb.append.concurrent', await concurrent('batched')],
    ] as const) {
      progress(
        `${name} against the batched call: ${figure.value.toFixed(0)} of ${figure.limit.toFixed(0)} events/s, ` +
          `ratio ${figure.ratio.toFixed(2)}`,
      );
    }
    return figures;
  } finally {
    await store.close();
    await client.dispose();
    if (server !== undefined) {
      server.child.kill('SIGTERM');
      await ended(server.child);
    }
    rmSync(folder, { recursive: true });
  }
}

/** Every writer appends one event at a time, to streams of its own. */
async function appended(
  store: EventStore,
  client: EventStoreDBClient,
  way: Way,
  writers: number,
  rounds: number,
): Promise<Figure> {
  const rows = (side: string): Iterator<BenchRow, never>[] =>
    Array.from({ length: writers }, (_, w) => benchRows(`${crypto.randomUUID()} ${side} ${w}`));
  const [ours, bare] = [rows('ours'), rows('bare')];
  const perSecond = async (
    from: Iterator<BenchRow, never>[],
    append: (row: BenchRow) => Promise<unknown>,
  ): Promise<number> => {
    const work = from.map((each) => Array.from({ length: rounds }, () => each.next().value));
    const seconds = await secondsOf(() =>
      Promise.all(
        work.map(async (each) => {
          for (const row of each) await append(row);
        }),
      ),
    );
    return (writers * rounds) / seconds;
  };
  const options = way === 'classic' ? { credentials: { username: 'a', password: 'b' } } : {};
  return pairsOf(
    'events/s',
    () => perSecond(ours, (row) => store.append(row.stream, expectedOf(row), [eventOf(row)])),
    () =>
      perSecond(bare, (row) => {
        const expected = expectedOf(row);
        return client.appendToStream(row.stream, bareEvent(row), {
          ...options,
          expectedRevision: expected === 'no-stream' ? NO_STREAM : expected,
        });
      }),
  );
}

/** The log from its start to its end; bodies and metadata read as they are needed. */
async function replayed(store: EventStore, client: EventStoreDBClient): Promise<Figure> {
  for (let n = 0; n < REPLAYED; n += FILLING) {
    const rows = benchRows(`filled ${crypto.randomUUID()}`);
    const events = Array.from({ length: FILLING }, () => eventOf(rows.next().value)).map(
      (event) => ({ ...event, homeid: 'home', tenantid: 'home' }),
    );
    await store.append(`filled-${crypto.randomUUID()}`, 'no-stream', events);
  }
  const ours = async (): Promise<number> => {
    let count = 0;
    for await (const message of store.subscribe()) {
      if (message.kind === 'caught-up') break;
      count += message.events.length;
    }
    return count;
  };
  const bare = async (): Promise<number> => {
    let count = 0;
    for await (const { event } of client.readAll()) if (event !== undefined) count += 1;
    return count;
  };
  const rate = (side: () => Promise<number>) => async (): Promise<number> => {
    let count = 0;
    const seconds = await secondsOf(async () => (count = await side()));
    if (count < REPLAYED) throw new Error(`replayed ${count} events`);
    return count / seconds;
  };
  return pairsOf('events/s', rate(ours), rate(bare));
}

function expectedOf({ revision }: BenchRow): bigint | 'no-stream' {
  return revision === 0 ? 'no-stream' : BigInt(revision - 1);
}

function eventOf({ envelope, body }: BenchRow) {
  return { ...envelope, data: Buffer.from(JSON.stringify(body)) };
}

/** The same bytes, as somebody would write them who has nothing but the client. */
function bareEvent({ envelope, body }: BenchRow): BinaryEventData {
  const { id, type, schemaver, ...rest } = envelope;
  return {
    ...{ id, type, contentType: 'application/octet-stream' },
    data: new Uint8Array(Buffer.from(JSON.stringify(body))),
    metadata: new Uint8Array(
      Buffer.from(JSON.stringify({ schemaver: String(schemaver), ...rest })),
    ),
  };
}

async function started(folder: string): Promise<{ child: ChildProcess; url: string }> {
  const main = fileURLToPath(new URL('../../infra/dev/eventstore/main.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    [...process.execArgv, main, '--folder', path.join(folder, 'log'), '--port', '0'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^EVENT_STORE_URL=(.*)$/.exec(line)?.[1];
    if (url !== undefined) return { child, url };
  }
  throw new Error('the development server ended without a word');
}
