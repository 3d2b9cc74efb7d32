/** Snapshots make loading quicker and nothing else: whatever has become of them, the state is the log's. */
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { afterEach, describe, expect, test } from '@jest/globals';
import {
  accept,
  command,
  customer,
  event,
  eventRegistry,
  type NewEvent,
  type Principal,
  refuse,
} from '@bivouac/events/language';
import { uuidOf } from '@bivouac/events/values';
import fc from 'fast-check';
import { z } from 'zod';

import { type EventStore, memoryEventStore } from '../../../event-store/index.ts';
import { ManualClock } from '../../clock.ts';
import { type Aggregate, aggregate, type EdgePorts, handler } from '../../definitions.ts';
import { createLogger } from '../../logging.ts';
import { commandHost, type CommandHost } from '../host.ts';
import { folderSnapshots } from './folder.ts';
import { memorySnapshots, type SnapshotFiles } from './port.ts';
import { StreamSnapshots } from './snapshots.ts';

const Put = event('test.Put', z.strictObject({ item: customer(z.string()), n: customer(z.int()) }));
const Taken = event('test.Taken', z.strictObject({ item: customer(z.string()) }));

/** One of everything that states are made of. */
interface Shelf {
  total: bigint;
  readonly items: Map<string, { readonly n: number; readonly note: string | undefined }>;
  readonly gone: Set<string>;
  readonly counts: Uint32Array;
  history: (string | null)[];
}
const shelf = aggregate({
  category: 'shelf',
  events: [Put, Taken],
  initial: (): Shelf => ({
    total: 0n,
    items: new Map(),
    gone: new Set(),
    counts: new Uint32Array(8),
    history: [],
  }),
  evolve: (state, { type, data }) => {
    if ('n' in data) {
      state.total += BigInt(data.n);
      state.items.set(data.item, { n: data.n, note: undefined });
      state.counts[data.n % 8] = (state.counts[data.n % 8] ?? 0) + 1;
    } else {
      state.items.delete(data.item);
      state.gone.add(data.item);
    }
    state.history = [...state.history.slice(-4), type];
    return state;
  },
});

const input = z.strictObject({ shelf: z.string(), item: z.string(), n: z.int() });
const result = z.strictObject({ did: z.array(z.string()) });
const PutIn = command({
  name: 'test.PutIn',
  access: 'tenant',
  right: 'account.read',
  input,
  result,
});
const TakeOut = command({
  name: 'test.TakeOut',
  access: 'tenant',
  right: 'account.read',
  input,
  result,
});

function handlersOf(of: Aggregate<Shelf>) {
  const on = {
    stream: ({ shelf: name }: { readonly shelf: string }) => `shelf-${name}`,
    owner: (_input: unknown, { tenantId, homeId }: Principal) => ({ tenantId, homeId }),
    result: (events: readonly { readonly id: string }[]) => ({ did: events.map(({ id }) => id) }),
  };
  return [
    handler(PutIn, of, {
      ...on,
      decide: (state, { item, n }) =>
        state.items.has(item)
          ? refuse('THERE_ALREADY', 'It is there already; take it out first.')
          : accept(Put({ item, n }), ...(n % 3 === 0 ? [Put({ item: `${item}+`, n })] : [])),
    }),
    handler(TakeOut, of, {
      ...on,
      decide: (state, { item }) =>
        state.items.has(item)
          ? accept(Taken({ item }))
          : refuse('NOT_THERE', 'It is not there; put it in first.'),
    }),
  ];
}

const principal: Principal = {
  ...{ id: 'key_a', kind: 'key', tenantId: 'a', homeId: 'a', audience: 'customer' },
  reach: new Set(['a']),
  rights: 'all',
};
const registry = eventRegistry([Put, Taken]);
const clock = new ManualClock('2026-04-10T09:00:00.000Z');
const EVERY = 5;

const closing: (() => Promise<void>)[] = [];
async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close();
}
afterEach(closeAll);

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-snapshots-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Logged {
  readonly msg: string;
  readonly reason?: string;
}

function start(
  store: EventStore,
  files?: SnapshotFiles,
  of: Aggregate<Shelf> = shelf,
  logged: Logged[] = [],
): CommandHost {
  const logger = createLogger('warn', {
    write: (line) => logged.push(JSON.parse(line) as Logged),
  });
  const host = commandHost({
    ...{ handlers: handlersOf(of), store, registry, clock },
    providerId: () => 'provider',
    ports: {
      keys: { hmac: (owner: string, bytes: Uint8Array) => uuidOf(owner, String(bytes)) },
      random: (bytes: number) => new Uint8Array(bytes),
    } as unknown as EdgePorts,
    snapshots: files && new StreamSnapshots({ files, store, logger, every: EVERY }),
  });
  closing.push(() => host.stop());
  return host;
}

interface Op {
  readonly take: boolean;
  readonly shelf: string;
  readonly item: string;
  readonly n: number;
  readonly key: number;
}

async function run(host: CommandHost, { take, key, ...op }: Op) {
  const reply = await host.command(take ? TakeOut : PutIn, op, {
    principal,
    idempotencyKey: `${key}`,
  });
  if (!reply.ok) return reply.refusal.code;
  const { position: _, ...rest } = reply;
  return rest;
}

const SHELVES = ['a', 'b'];

/**
 * States, and what a repeat of every command that was accepted is answered. As text: the maps and
 * sets that are compared come from both of Jest's realms.
 */
async function everything(host: CommandHost, accepted: readonly Op[]): Promise<unknown> {
  const states = [];
  for (const name of SHELVES) {
    const loaded = await host.load(shelf, `shelf-${name}`);
    states.push(inspect(loaded, { depth: Infinity, maxArrayLength: null }));
  }
  const answers = [];
  for (const op of accepted) answers.push(await run(host, op));
  return { states, answers };
}

/** The log as it was when it had so many events, as a restored copy of it is. */
async function copyOf(store: EventStore, events: number): Promise<EventStore> {
  const copy = memoryEventStore({ epoch: (await store.head()).epoch });
  closing.push(() => copy.close());
  for (const stored of (await store.readAll()).events.slice(0, events)) {
    const { stream, revision, position: _, epoch: __, ...event } = stored;
    const again: NewEvent = event;
    await copy.append(stream, revision === 0n ? 'no-stream' : revision - 1n, [again]);
  }
  return copy;
}

const ops = fc.array(
  fc.record({
    take: fc.boolean(),
    shelf: fc.constantFrom(...SHELVES),
    item: fc.constantFrom('x', 'y', 'z', 'u', 'v', 'w'),
    n: fc.nat({ max: 20 }),
    key: fc.nat({ max: 1000 }),
  }),
  { minLength: 5, maxLength: 60 },
);

/** What may become of the files between two starts. */
const damage = fc.oneof(
  fc.constant({ kind: 'nothing' } as const),
  fc.record({ kind: fc.constant('removed' as const), of: fc.constantFrom(...SHELVES) }),
  fc.record({
    kind: fc.constant('flipped' as const),
    of: fc.constantFrom(...SHELVES),
    at: fc.nat(),
    bit: fc.nat({ max: 7 }),
  }),
  fc.record({
    kind: fc.constant('cut' as const),
    of: fc.constantFrom(...SHELVES),
    at: fc.nat(),
  }),
  fc.record({
    kind: fc.constant('garbage' as const),
    of: fc.constantFrom(...SHELVES),
    bytes: fc.uint8Array({ maxLength: 200 }),
  }),
  fc.constant({ kind: 'swapped' } as const),
  fc.record({ kind: fc.constant('older' as const), of: fc.constantFrom(...SHELVES) }),
);
type Damage = typeof damage extends fc.Arbitrary<infer D> ? D : never;

/** @param older what was kept some starts ago. */
async function spoil(
  files: SnapshotFiles,
  it: Damage,
  older: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  if (it.kind === 'nothing') return;
  if (it.kind === 'swapped') {
    const [a, b] = [await files.read('shelf-a'), await files.read('shelf-b')];
    if (a !== undefined) await files.write('shelf-b', a);
    if (b !== undefined) await files.write('shelf-a', b);
    return;
  }
  const stream = `shelf-${it.of}`;
  const bytes = await files.read(stream);
  if (it.kind === 'removed') await files.remove(stream);
  else if (it.kind === 'garbage') await files.write(stream, it.bytes);
  else if (it.kind === 'older') await files.write(stream, older.get(stream) ?? new Uint8Array());
  else if (bytes !== undefined && it.kind === 'cut') {
    await files.write(stream, bytes.subarray(0, it.at % bytes.length));
  } else if (bytes !== undefined && it.kind === 'flipped') {
    const flipped = Uint8Array.from(bytes);
    const at = it.at % flipped.length;
    flipped[at] = (flipped[at] ?? 0) ^ (1 << it.bit);
    await files.write(stream, flipped);
  }
}

describe('a state', () => {
  test('with snapshots is the state without, whatever has become of them and of the log', async () => {
    const lives = fc.array(
      fc.record({ ops, damage, lost: fc.option(fc.nat({ max: 20 }), { freq: 4, nil: 0 }) }),
      { minLength: 1, maxLength: 4 },
    );
    let [taken, dropped] = [0, 0];
    await fc.assert(
      fc.asyncProperty(lives, async (all) => {
        const files = memorySnapshots();
        const older = new Map<string, Uint8Array>();
        let store: EventStore = memoryEventStore({ epoch: 'e' });
        let accepted: { readonly op: Op; readonly events: readonly string[] }[] = [];
        for (const life of all) {
          const host = start(store, files);
          const plain = start(store);
          for (const op of life.ops) {
            const reply = await run(host, op);
            if (typeof reply === 'object') accepted.push({ op, events: reply.result.did });
          }
          const repeats = accepted.map(({ op }) => op);
          expect(await everything(host, repeats)).toEqual(await everything(plain, repeats));
          await host.stop();

          for (const name of SHELVES) {
            const kept = await files.read(`shelf-${name}`);
            if (kept !== undefined && !older.has(`shelf-${name}`)) older.set(`shelf-${name}`, kept);
          }
          await spoil(files, life.damage, older);
          const { events } = await store.readAll();
          const length = Math.max(0, events.length - life.lost);
          store = await copyOf(store, length);
          const left = new Set(events.slice(0, length).map(({ id }) => id));
          accepted = accepted.filter((one) => left.has(one.events[0] ?? ''));
          const reasons: Logged[] = [];
          const had = SHELVES.filter((name) => files.has(`shelf-${name}`)).length;
          const restored = await everything(start(store, files, shelf, reasons), []);
          expect(restored).toEqual(await everything(start(store), []));
          taken += had - reasons.length;
          dropped += reasons.length;
        }
        await closeAll();
      }),
      { numRuns: 80 },
    );
    // Otherwise it says nothing.
    expect(taken).toBeGreaterThan(20);
    expect(dropped).toBeGreaterThan(20);
  });
});

describe('a snapshot', () => {
  /** Shelf `a` with so many events, and its snapshot. */
  async function kept(files: SnapshotFiles, events = 12, epoch = 'e'): Promise<EventStore> {
    const store = memoryEventStore({ epoch });
    closing.push(() => store.close());
    const host = start(store, files);
    await fill(host, 0, events);
    await host.stop();
    expect(files.has('shelf-a')).toBe(true);
    return store;
  }
  async function fill(host: CommandHost, from: number, to: number): Promise<void> {
    for (let n = from; n < to; n++) {
      await run(host, { take: false, shelf: 'a', item: `i${n}`, n: n * 3 + 1, key: n });
    }
  }
  /** Counts the events read of the stream. */
  function counting(store: EventStore): { readonly store: EventStore; readonly read: bigint[] } {
    const read: bigint[] = [];
    return {
      read,
      store: {
        ...memoryPorts(store),
        readStream: async (stream, options) => {
          const page = await store.readStream(stream, options);
          if (page.exists) read.push(...page.events.map(({ revision }) => revision));
          return page;
        },
      },
    };
  }
  async function loadedFrom(store: EventStore, files: SnapshotFiles, of = shelf) {
    const logged: Logged[] = [];
    const seen = counting(store);
    const host = start(seen.store, files, of, logged);
    const loaded = await host.load(of, 'shelf-a');
    await host.stop();
    expect(loaded).toEqual(await start(store, undefined, of).load(of, 'shelf-a'));
    return { read: seen.read, reasons: logged.map(({ reason }) => reason) };
  }
  const all = (events: number) => Array.from({ length: events }, (_, n) => BigInt(n));

  test('saves reading what it covers: its last event and those after it are read', async () => {
    const files = memorySnapshots();
    const store = await kept(files);
    // The second is due when five more were folded; the last two came after it.
    expect(await loadedFrom(store, files)).toEqual({ read: [9n, 10n, 11n], reasons: [] });
  });

  test('is written by whoever reads a long stream that has none', async () => {
    const store = await kept(memorySnapshots());
    const files = memorySnapshots();
    expect((await loadedFrom(store, files)).read).toEqual(all(12));
    expect((await loadedFrom(store, files)).read).toEqual([11n]);
  });

  test('of a log that was restored to before it is dropped, and so is one of another epoch', async () => {
    const files = memorySnapshots();
    const store = await kept(files);
    const shorter = await copyOf(store, 8);
    expect(await loadedFrom(shorter, files)).toEqual({
      read: all(8),
      reasons: ['it is of another log, or the log ends before it'],
    });
    const others = memorySnapshots();
    await kept(others, 12, 'another');
    expect((await loadedFrom(store, others)).reasons).toHaveLength(1);
    const empty = memoryEventStore({ epoch: 'e' });
    closing.push(() => empty.close());
    const third = memorySnapshots();
    await kept(third);
    expect(await loadedFrom(empty, third)).toMatchObject({ read: [] });
  });

  test('of a log that went another way since is dropped', async () => {
    const files = memorySnapshots();
    const store = await kept(files);
    const fork = await copyOf(store, 8);
    const host = start(fork);
    for (let n = 20; n < 30; n++) {
      await run(host, { take: false, shelf: 'a', item: `j${n}`, n: 1, key: n });
    }
    const { read, reasons } = await loadedFrom(fork, files);
    expect(reasons).toEqual(['it is of another log, or the log ends before it']);
    expect(new Set(read)).toEqual(new Set(all(18)));
    expect(files.has('shelf-a')).toBe(true);
    expect((await loadedFrom(fork, files)).read).toEqual([17n]);
  });

  test('of another stream is dropped', async () => {
    const files = memorySnapshots();
    const store = await kept(files);
    await files.write('shelf-b', (await files.read('shelf-a')) ?? new Uint8Array());
    const logged: Logged[] = [];
    expect(await start(store, files, shelf, logged).load(shelf, 'shelf-b')).toMatchObject({
      exists: false,
    });
    expect(logged).toMatchObject([
      { reason: 'it is of another stream or of another version of its fold' },
    ]);
  });

  test('knows when its last event was: the next is not earlier, whatever the clock says now', async () => {
    const files = memorySnapshots();
    const store = await copyOf(await kept(files), 10);
    const now = clock.now();
    clock.moveTo(now - 60_000);
    try {
      await fill(start(store, files), 10, 11);
    } finally {
      clock.moveTo(now);
    }
    const page = await store.readStream('shelf-a', { from: 9n });
    const times = page.exists ? page.events.map(({ time }) => Date.parse(time)) : [];
    expect(times).toEqual([now, now]);
  });

  test.each<[string, Partial<Aggregate<Shelf>>]>([
    ['version', { version: 2 }],
    ['text', { evolve: (state, recorded) => shelf.evolve(state, recorded) }],
    ['events', { events: [Put] }],
    ['start', { initial: () => shelf.initial() }],
  ])('of a fold of another %s is dropped', async (_what, changed) => {
    const files = memorySnapshots();
    const store = await kept(files);
    expect(await loadedFrom(store, files, { ...shelf, ...changed })).toEqual({
      read: [...all(12)],
      reasons: ['it is of another stream or of another version of its fold'],
    });
  });

  test('that cannot be written, read or removed costs time alone', async () => {
    const working = memorySnapshots();
    const store = await kept(working);
    const failing = (what: keyof SnapshotFiles): SnapshotFiles => ({
      ...working,
      has: () => true,
      [what]: () => Promise.reject(new Error('the disk is full')),
    });
    expect((await loadedFrom(store, failing('read'))).read).toEqual(all(12));
    await working.write('shelf-a', Uint8Array.of(1));
    expect((await loadedFrom(store, failing('remove'))).read).toEqual(all(12));
    await working.remove('shelf-a');
    expect((await loadedFrom(store, failing('write'))).read).toEqual(all(12));
  });

  test('of a state that cannot be copied is none, and commands go on', async () => {
    const files = memorySnapshots();
    const strange: Aggregate<Shelf> = {
      ...shelf,
      initial: () => ({ ...shelf.initial(), surprise: () => 0 }) as Shelf,
    };
    const store = memoryEventStore();
    closing.push(() => store.close());
    const host = start(store, files, strange);
    await fill(host, 0, 12);
    expect(files.has('shelf-a')).toBe(false);
    expect((await store.readAll()).events).toHaveLength(12);
  });

  test('holds of a command what the log holds, so that it is repeated and forgotten alike', async () => {
    const files = memorySnapshots();
    const store = await kept(files);
    const host = start(store, files);
    const op = { take: false, shelf: 'a', item: 'i3', n: 10, key: 3 };
    expect(await run(host, op)).toMatchObject({ ok: true, repeated: true });
    expect(await run(host, { ...op, n: 11 })).toBe('IDEMPOTENCY_CONFLICT');
  });
});

describe('snapshots in a folder', () => {
  test('are there after a restart, readable by their owner alone; what was cut off is cleared away', async () => {
    const folder = await newFolder();
    const files = await folderSnapshots({ folder });
    const store = memoryEventStore();
    closing.push(() => store.close());
    const first = start(store, files);
    for (let n = 0; n < 12; n++) {
      await run(first, { take: false, shelf: 'a', item: `i${n}`, n: 1, key: n });
    }
    await first.stop();
    expect(await readdir(folder)).toEqual(['shelf-a.snapshot']);
    const { mode } = await stat(join(folder, 'shelf-a.snapshot'));
    expect(mode & 0o777).toBe(0o600);
    const cutOff = join(folder, '.shelf-b.snapshot.unfinished');
    await writeFile(cutOff, 'half');
    await utimes(cutOff, 0, 0);

    const again = await folderSnapshots({ folder });
    expect(await readdir(folder)).toEqual(['shelf-a.snapshot']);
    expect([again.has('shelf-a'), again.has('shelf-b')]).toEqual([true, false]);
    expect(await start(store, again).load(shelf, 'shelf-a')).toEqual(
      await start(store).load(shelf, 'shelf-a'),
    );

    // Damaged on disk: it is gone after the next load, and written anew by a later one.
    const file = join(folder, 'shelf-a.snapshot');
    await writeFile(file, (await readFile(file)).subarray(0, 100));
    const host = start(store, again);
    expect(await host.load(shelf, 'shelf-a')).toMatchObject({ revision: 11n });
    await host.stop();
    expect((await readFile(file)).length).toBeGreaterThan(100);

    // Removed under its feet.
    await rm(file);
    expect(await start(store, again).load(shelf, 'shelf-a')).toMatchObject({ revision: 11n });
  });

  test('that cannot be made stop the start with what to do about it', async () => {
    const file = join(await newFolder(), 'a-file');
    await writeFile(file, '');
    await expect(folderSnapshots({ folder: join(file, 'snapshots') })).rejects.toThrow(
      /cannot use the folder .*snapshots: a part of the path is a file, not a folder; move it/,
    );
  });

  test('take any stream by its name, and pass over those whose names are too long for a file', async () => {
    const files = await folderSnapshots({ folder: await newFolder() });
    const names = ['shelf-a/../../b', 'shelf-ü %', 'shelf-a'];
    for (const [n, name] of names.entries()) await files.write(name, Uint8Array.of(n));
    for (const [n, name] of names.entries()) {
      expect(files.has(name)).toBe(true);
      expect([...((await files.read(name)) ?? [])]).toEqual([n]);
    }
    const long = `shelf-${'x'.repeat(300)}`;
    await files.write(long, Uint8Array.of(1));
    expect(files.has(long)).toBe(false);
  });
});

function memoryPorts(store: EventStore): EventStore {
  return {
    append: (...args) => store.append(...args),
    readStream: (...args) => store.readStream(...args),
    readAll: (...args) => store.readAll(...args),
    readHome: (...args) => store.readHome(...args),
    subscribe: (...args) => store.subscribe(...args),
    head: () => store.head(),
    close: () => store.close(),
  };
}
