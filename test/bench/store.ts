/**
 * Benchmarks of the embedded log against its limit, plain SQLite on the same rows. Each figure is the
 * median of interleaved pairs, so that what else the machine does falls on both.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { customer, event, eventRegistry, type StoredEvent } from '@bivouac/events/language';
import { type EventStore, openEmbeddedStore } from '@bivouac/infra/event-store';
import { z } from 'zod';

import { type BenchPart, type Figure, pairsOf } from './figure.ts';
import { type BenchRow, benchRows } from './limits/store-rows.ts';
import { BareLog } from './limits/store-sqlite.ts';

/** How much work one side of a pair does. */
const SINGLE = 500;
const WRITERS = 64;
const ROUNDS = 50;
const REPLAYED = 100_000;
const STORE_PAIRS = 9;
const PAGE = 500;

/** `store.*`, in a folder of their own; takes about a minute. */
export const storeBenchmarks: BenchPart = {
  names: [
    'store.replay',
    'store.replay.validated',
    'store.append.single',
    'store.append.concurrent',
  ],
  run,
};

async function run(): Promise<Record<string, Figure>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bivouac-bench-'));
  const store = await openEmbeddedStore({ folder });
  const bare = new BareLog(folder);
  try {
    await fill(store, bare, REPLAYED);
    return {
      'store.replay': await replay(store, bare, false),
      'store.replay.validated': await replay(store, bare, true),
      'store.append.single': await single(store, bare),
      'store.append.concurrent': await concurrent(store, bare),
    };
  } finally {
    bare.close();
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** One writer, one event at a time, durable before the next. */
async function single(store: EventStore, bare: BareLog): Promise<Figure> {
  const [rows, same] = [benchRows('single'), benchRows('single')];
  return pairs(
    SINGLE,
    async () => {
      const work = take(rows, SINGLE);
      return timed(async () => {
        for (const row of work) await append(store, row);
      });
    },
    async () => {
      const work = take(same, SINGLE);
      return timed(async () => {
        for (const row of work) bare.append([row]);
      });
    },
  );
}

/** 64 writers, each with one event under way; the limit writes 64 rows in a transaction. */
async function concurrent(store: EventStore, bare: BareLog): Promise<Figure> {
  const [writers, same] = [manyWriters(), manyWriters()];
  const work = (from: typeof writers): BenchRow[][] => from.map((rows) => take(rows, ROUNDS));
  return pairs(
    WRITERS * ROUNDS,
    async () => {
      const each = work(writers);
      return timed(async () => {
        await Promise.all(
          each.map(async (rows) => {
            for (const row of rows) await append(store, row);
          }),
        );
      });
    },
    async () => {
      const each = work(same);
      const transactions = Array.from({ length: ROUNDS }, (_, round) =>
        each.flatMap((rows) => rows[round] ?? []),
      );
      return timed(async () => {
        for (const transaction of transactions) bare.append(transaction);
      });
    },
  );
}

function manyWriters(): Iterator<BenchRow, never>[] {
  return Array.from({ length: WRITERS }, (_, w) => benchRows(`writer ${w}`));
}

/** The whole log: read, checked, parsed, upcast and, if asked, validated. */
async function replay(store: EventStore, bare: BareLog, validated: boolean): Promise<Figure> {
  return pairs(
    REPLAYED,
    () =>
      timed(async () => {
        let n = 0;
        for await (const message of store.subscribe({ batch: PAGE })) {
          if (message.kind === 'caught-up') break;
          for (const stored of message.events) {
            decode(stored, validated);
            n += 1;
          }
        }
        if (n !== REPLAYED) throw new Error(`replayed ${n} events`);
      }),
    () =>
      timed(async () => {
        if (bare.scan(PAGE) !== REPLAYED) throw new Error('the limit read another number of rows');
      }),
  );
}

const text = customer(z.string());
const bound = z.strictObject({ barrier: z.string(), limit: z.string() });
const fields = {
  addresses: customer(z.array(z.string())),
  attempt: customer(z.int().positive()),
  container: text,
  disk: text,
  image: text,
  labels: customer(z.record(z.string(), z.string())),
  memory: customer(bound),
  name: text,
  node: text,
  plan: text,
  processes: customer(z.int().positive()),
};
const registry = eventRegistry([
  event('bench.ContainerPlaced', z.strictObject({ ...fields, priority: text }), {
    schemas: { 1: z.strictObject(fields) },
    upcasters: [{ from: 1, to: 2, upcast: (body) => ({ ...body, priority: 'normal' }) }],
    writes: 2,
  }),
]);

function decode(stored: StoredEvent, validated: boolean): void {
  if (registry.decode(stored, validated) === undefined) throw new Error('an unknown type');
}

async function append(store: EventStore, row: BenchRow): Promise<void> {
  const data = Buffer.from(JSON.stringify(row.body));
  const expected = row.revision === 0 ? 'no-stream' : BigInt(row.revision - 1);
  await store.append(row.stream, expected, [{ ...row.envelope, data }]);
}

/** Both logs get the same rows. */
async function fill(store: EventStore, bare: BareLog, count: number): Promise<void> {
  const rows = benchRows('filled');
  for (let done = 0; done < count; done += 1000) {
    const some = take(rows, 1000);
    await Promise.all(some.map((row) => append(store, row)));
    bare.append(some);
  }
}

function take(rows: Iterator<BenchRow, never>, count: number): BenchRow[] {
  return Array.from({ length: count }, () => rows.next().value);
}

/** Milliseconds. */
async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Figures in events a second, from sides that answer milliseconds. */
function pairs(
  events: number,
  ours: () => Promise<number>,
  limit: () => Promise<number>,
): Promise<Figure> {
  const perSecond = (side: () => Promise<number>) => async () => (events * 1000) / (await side());
  return pairsOf('events/s', perSecond(ours), perSecond(limit), STORE_PAIRS);
}
