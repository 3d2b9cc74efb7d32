// What EventStoreDB and its client do in bad hours, each through real gRPC: nothing is lost, doubled
// or skipped, nobody waits for ever, and an unknown outcome is never called by another name.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EventStoreDBClient } from '@eventstore/db-client';
import { Metadata, status } from '@grpc/grpc-js';
import type { StoredEvent } from '@bivouac/events/language';
import type { Fault, ServedCall } from '../../dev/eventstore/faults.ts';
import { type ServedEventStore, serveEventStore } from '../../dev/eventstore/server.ts';
import { readWholeLog, refusal, sampleEvent, sampleEvents } from '../contract/samples.ts';
import { memoryEventStore } from '../memory.ts';
import type { EventStore } from '../port.ts';
import { EPOCH_STREAM } from './codec.ts';
import { openEventStoreDb } from './store.ts';

/** Short, so that what waits for a timer is quick; long enough for a slow machine to answer. */
const patience = { append: 1500, idle: 1000, attempts: 4, pause: 5 };

let folder = '';
let log: EventStore;
let server: ServedEventStore;
let store: EventStore;
let calls: ServedCall[] = [];
/** Faults by method; each is done once, in turn. */
let plan: { readonly method: ServedCall['method']; readonly fault: Fault }[] = [];
/** Done to every call of a method. */
let always: { readonly method: ServedCall['method']; readonly fault: Fault } | undefined;
const closing: (() => Promise<void>)[] = [];

function faults(call: ServedCall): Fault | undefined {
  calls.push(call);
  if (always?.method === call.method) return always.fault;
  const i = plan.findIndex(({ method }) => method === call.method);
  return i === -1 ? undefined : plan.splice(i, 1)[0]?.fault;
}

async function open(url = server.url, name = 'client'): Promise<EventStore> {
  const opened = await openEventStoreDb({ url, folder: path.join(folder, name), patience });
  closing.push(() => opened.close());
  return opened;
}

async function serve(
  of: EventStore,
  port = 0,
  more: { readonly stride?: number; readonly apart?: boolean } = {},
): Promise<ServedEventStore> {
  const served = await serveEventStore({ store: of, faults, port, ...more });
  closing.push(() => served.close());
  return served;
}

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'bivouac-esdb-'));
  log = memoryEventStore();
  server = await serve(log);
  store = await open();
  calls = [];
});
afterEach(async () => {
  plan = [];
  always = undefined;
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

const failing = (code: status, details: string, metadata?: Metadata) =>
  ({ fault: 'fail', code, details, ...(metadata && { metadata }) }) as const;

function exception(name: string, more: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries({ exception: name, ...more })) metadata.set(key, value);
  return metadata;
}

describe('an append', () => {
  type Lost = { readonly fault: 'hang' } | ReturnType<typeof failing>;
  const lost: [string, Lost][] = [
    ['is never answered', { fault: 'hang' }],
    ['is answered with the server’s own timeout', failing(status.ABORTED, 'Operation timed out')],
    ['is answered with INTERNAL', failing(status.INTERNAL, 'Received RST_STREAM')],
    ['is answered with DATA_LOSS', failing(status.DATA_LOSS, 'data loss')],
    ['is cut off', failing(status.UNAVAILABLE, 'Connection dropped')],
    ['is cancelled by the server', failing(status.CANCELLED, 'shutting down')],
    ['is answered with the bare text of a busy server', failing(status.UNKNOWN, 'Server Is Busy')],
  ];
  describe.each(lost)('that %s', (_, kind) => {
    test.each(['before', 'after'] as const)(
      '(%s it was written) is sent again, and there once',
      async (when) => {
        plan = [{ method: 'append', fault: { ...kind, when } }];
        const events = sampleEvents('lost', 3);
        const result = await store.append('pool-1', 'no-stream', events);
        expect(result.revision).toBe(2n);
        const written = await readWholeLog(store);
        expect(written.map((e) => e.id)).toEqual(events.map((e) => e.id));
        expect(result.position).toBe(written.at(-1)?.position);
        expect(calls.filter(({ method }) => method === 'append')).toHaveLength(2);
      },
    );
  });

  test('whose every answer is lost has an unknown outcome; sent again later it is known', async () => {
    always = { method: 'append', fault: { fault: 'hang', when: 'after' } };
    const events = sampleEvents('unknown', 2);
    const error = await refusal(store.append('pool-1', 'no-stream', events));
    expect(error.code).toBe('outcome-unknown');
    expect(error.message).toMatch(/may be sent again/);
    always = undefined;
    expect((await store.append('pool-1', 'no-stream', events)).revision).toBe(1n);
    expect(await readWholeLog(store)).toHaveLength(2);
  });

  test('whose answer was lost, while others have appended since, is known all the same', async () => {
    plan = [{ method: 'append', fault: { fault: 'hang', when: 'after' } }];
    const events = sampleEvents('mine', 2);
    const mine = store.append('pool-1', 'no-stream', events);
    const seen = store.subscribe()[Symbol.asyncIterator]();
    for (let found = 0; found < 2;) {
      const step = await seen.next();
      if (step.done !== true && step.value.kind === 'events') found += step.value.events.length;
    }
    await log.append('pool-1', 1n, sampleEvents('theirs', 1));
    expect((await mine).revision).toBe(1n);
    expect(await readWholeLog(store)).toHaveLength(3);
  });

  test.each([
    [
      'that a server refuses which is not ready',
      failing(status.UNAVAILABLE, 'Server Is Not Ready'),
    ],
    [
      'for which nobody may write',
      failing(status.PERMISSION_DENIED, 'denied', exception('access-denied')),
    ],
  ])('%s wrote nothing, and says so', async (_, kind) => {
    always = { method: 'append', fault: { ...kind, when: 'before' } };
    const error = await refusal(store.append('pool-1', 'no-stream', [sampleEvent('a')]));
    expect(error.code).toBe('unavailable');
  });

  test('to a server that is not there wrote nothing', async () => {
    await server.close();
    const error = await refusal(store.append('pool-1', 'no-stream', [sampleEvent('a')]));
    expect(['unavailable', 'outcome-unknown']).toContain(error.code);
    const again = await refusal(store.append('pool-1', 'no-stream', [sampleEvent('a')]));
    expect(again.code).toBe('unavailable');
    expect(again.message).toContain('EVENT_STORE_URL');
  });

  test.each(['no-position', 'commit-apart'] as const)(
    'answered with %s still answers its own',
    async (fault) => {
      always = { method: 'append', fault: { fault } };
      const events = sampleEvents('placeless', 3);
      const first = await store.append('pool-1', 'no-stream', events);
      expect(first.position).toBe((await readWholeLog(store)).at(-1)?.position);
      await store.append('pool-1', 2n, sampleEvents('later', 2));
      expect(await store.append('pool-1', 'no-stream', events)).toEqual(first);
    },
  );

  test('to a follower goes to the leader that it names', async () => {
    const leader = await serve(log);
    const port = new URL(leader.url.replace('esdb:', 'http:')).port;
    const where = { 'leader-endpoint-host': '127.0.0.1', 'leader-endpoint-port': port };
    plan = [
      {
        method: 'append',
        fault: {
          ...failing(status.NOT_FOUND, 'not leader', exception('not-leader', where)),
          when: 'before',
        },
      },
    ];
    await store.append('pool-1', 'no-stream', [sampleEvent('led')]);
    await server.close();
    expect(await readWholeLog(store)).toHaveLength(1);
  });

  test.each([
    [
      'Maximum Append Size of 10 Exceeded.',
      exception('maximum-append-size-exceeded', { 'maximum-append-size': '10' }),
    ],
    [
      'Event with Id: x, Size: 11, exceeds Maximum Append Event Size of 10.',
      exception('maximum-append-event-size-exceeded', { 'maximum-append-event-size': '10' }),
    ],
  ])('of more than the server takes is too large: %s', async (details, metadata) => {
    always = {
      method: 'append',
      fault: { ...failing(status.INVALID_ARGUMENT, details, metadata), when: 'before' },
    };
    const error = await refusal(store.append('pool-1', 'no-stream', [sampleEvent('a')]));
    expect(error.code).toBe('too-large');
  });

  test('to a stream deleted for ever is refused for ever, and so is reading it', async () => {
    const metadata = exception('stream-deleted', { 'stream-name': 'pool-1' });
    const deleted = {
      ...failing(status.FAILED_PRECONDITION, 'deleted', metadata),
      when: 'before',
    } as const;
    always = { method: 'append', fault: deleted };
    expect((await refusal(store.append('pool-1', 'no-stream', [sampleEvent('a')]))).code).toBe(
      'deleted',
    );
    always = { method: 'read', fault: deleted };
    expect((await refusal(store.readStream('pool-1'))).code).toBe('deleted');
  });

  test('after INTERNAL the connection is another: the client would keep the old one for ever', async () => {
    await store.append('pool-1', 'no-stream', [sampleEvent('a')]);
    plan = [{ method: 'append', fault: { ...failing(status.INTERNAL, 'broken'), when: 'before' } }];
    await store.append('pool-1', 0n, [sampleEvent('b')]);
    const [first, failed, again] = calls.filter(({ method }) => method === 'append');
    expect(failed?.connection).toBe(first?.connection);
    expect(again?.connection).not.toBe(first?.connection);
  });

  test('that fails takes no other client’s append with it, and the batched way is never taken', async () => {
    const other = await open(server.url, 'other');
    plan = [{ method: 'append', fault: { ...failing(status.INTERNAL, 'broken'), when: 'before' } }];
    const both = [store, other].map((each, i) =>
      each.append(`pool-${i}`, 'no-stream', [sampleEvent(`both ${i}`)]),
    );
    expect((await Promise.all(both)).map((r) => r.revision)).toEqual([0n, 0n]);
    expect(calls.filter(({ method }) => method === 'append')).toHaveLength(3);
    expect(calls.some(({ method }) => method === 'batch-append')).toBe(false);
  });

  test('under a name of the server’s own is refused', async () => {
    const event = sampleEvent('a');
    for (const stream of ['$all', '$$pool-1', EPOCH_STREAM]) {
      expect((await refusal(store.append(stream, 'no-stream', [event]))).code).toBe('invalid');
    }
    const typed = { ...event, type: '$metadata' };
    expect((await refusal(store.append('pool-1', 'no-stream', [typed]))).code).toBe('invalid');
  });
});

describe('a read', () => {
  beforeEach(async () => {
    await store.append('pool-1', 'no-stream', sampleEvents('there', 10));
  });

  test.each<[string, Fault]>([
    ['falls silent at once', { fault: 'hang', when: 'before' }],
    ['falls silent in the middle', { fault: 'stall', after: 4 }],
    [
      'breaks in the middle',
      { fault: 'break', after: 4, code: status.UNAVAILABLE, details: 'gone' },
    ],
    [
      'breaks with INTERNAL',
      { fault: 'break', after: 4, code: status.INTERNAL, details: 'broken' },
    ],
  ])('that %s is begun anew, and whole', async (_, fault) => {
    plan = [{ method: 'read', fault }];
    const page = await store.readStream('pool-1');
    expect(page.exists && page.events.map((e) => e.revision)).toEqual(
      Array.from({ length: 10 }, (__, i) => BigInt(i)),
    );
    plan = [{ method: 'read', fault }];
    expect((await store.readAll()).events).toHaveLength(10);
  });

  test('of the log that the server ends too early is not its end', async () => {
    always = { method: 'read', fault: { fault: 'end', after: 4 } };
    expect((await refusal(store.readAll())).code).toBe('unavailable');
    always = undefined;
    expect(await store.readAll()).toMatchObject({ end: true });
  });

  test('that is never answered ends, saying what to check', async () => {
    always = { method: 'read', fault: { fault: 'hang', when: 'before' } };
    const error = await refusal(store.readAll());
    expect(error.code).toBe('unavailable');
    expect(error.message).toContain('EVENT_STORE_URL');
  });

  test('of a server that says nothing of positions in streams names what is needed', async () => {
    always = { method: 'read', fault: { fault: 'no-positions' } };
    const error = await refusal(store.readStream('pool-1'));
    expect([error.code, error.message]).toEqual(['unavailable', expect.stringContaining('22.10')]);
  });
});

describe('a follower', () => {
  /** Follows until so many events were seen. */
  async function followed(
    total: number,
    meanwhile: (seen: number) => Promise<void>,
  ): Promise<string[]> {
    const seen: string[] = [];
    for await (const message of store.subscribe({ batch: 3 })) {
      if (message.kind === 'events') seen.push(...message.events.map((e) => e.id));
      if (seen.length >= total) break;
      await meanwhile(seen.length);
    }
    return seen;
  }

  test.each<[string, Fault]>([
    ['ends in order', { fault: 'end', after: 2 }],
    ['breaks', { fault: 'break', after: 2, code: status.UNAVAILABLE, details: 'gone' }],
    [
      'breaks with INTERNAL',
      { fault: 'break', after: 2, code: status.INTERNAL, details: 'broken' },
    ],
    ['goes deaf', { fault: 'stall', after: 2 }],
    ['is deaf from its beginning', { fault: 'hang', when: 'before' }],
    ['is refused', { ...failing(status.UNAVAILABLE, 'Server Is Not Ready'), when: 'before' }],
  ])('whose subscription %s, again and again, sees everything once', async (_, fault) => {
    plan = Array.from({ length: 3 }, () => ({ method: 'subscribe' as const, fault }));
    let written = 0;
    const seen = await followed(15, async (count) => {
      if (count < written || written >= 15) return;
      const expected = written === 0 ? 'no-stream' : BigInt(written - 1);
      // Written behind the back of this process, which learns of it by the subscription alone.
      await log.append('pool-1', expected, sampleEvents(`more ${written}`, 1));
      written += 1;
    });
    expect(seen).toEqual((await readWholeLog(store)).map((e) => e.id));
    expect(seen).toHaveLength(15);
  });

  test('outlives a server that is away, and a hundred and fifty of them share one subscription', async () => {
    const port = Number(new URL(server.url.replace('esdb:', 'http:')).port);
    const followers = Array.from({ length: 150 }, async () => {
      const seen: string[] = [];
      for await (const message of store.subscribe()) {
        if (message.kind === 'events') seen.push(...message.events.map((e) => e.id));
        if (seen.length === 4) return seen;
      }
      return seen;
    });
    const before = sampleEvents('before', 2);
    await store.append('pool-1', 'no-stream', before);
    await server.close();
    server = await serve(log, port);
    const after = sampleEvents('after', 2);
    await log.append('pool-1', 1n, after);
    const ids = [...before, ...after].map((e) => e.id);
    for (const seen of await Promise.all(followers)) expect(seen).toEqual(ids);
    const subscriptions = calls.filter(({ method }) => method === 'subscribe');
    expect(subscriptions.length).toBeGreaterThan(0);
    expect(subscriptions.length).toBeLessThan(20);
    expect(subscriptions.every(({ stream }) => stream === undefined)).toBe(true);
  });

  test('stops loudly where the server comes back with another log', async () => {
    const follower = store.subscribe()[Symbol.asyncIterator]();
    await store.append('pool-1', 'no-stream', sampleEvents('followed', 3));
    for (let seen = 0; seen < 3;) {
      const step = await follower.next();
      if (step.done !== true && step.value.kind === 'events') seen += step.value.events.length;
    }
    const port = Number(new URL(server.url.replace('esdb:', 'http:')).port);
    await server.close();
    // An older backup, written past the point it was taken at: the same log by name.
    const restored = memoryEventStore();
    const epoch = await log.readStream(EPOCH_STREAM);
    if (!epoch.exists) throw new Error('no epoch');
    await restored.append(EPOCH_STREAM, 'no-stream', epoch.events);
    await restored.append('pool-1', 'no-stream', sampleEvents('another', 5));
    server = await serve(restored, port);
    const ended = async (): Promise<void> => {
      for (;;) if ((await follower.next()).done === true) return;
    };
    expect((await refusal(ended())).code).toBe('checkpoint-mismatch');
  });
});

describe('what is not ours', () => {
  test.each([false, true])(
    'the server’s own events are seen by nobody and hold nobody up (in transactions: %s)',
    async (apart) => {
      server = await serve(log, 0, { stride: 197, apart });
      store = await open(server.url, 'apart');
      const seen: string[] = [];
      const follower = (async () => {
        for await (const message of store.subscribe()) {
          if (message.kind === 'events') seen.push(...message.events.map((e) => e.id));
          if (seen.length === 6) return;
        }
      })();
      const expected: string[] = [];
      for (let i = 0; i < 6; i++) {
        const system = sampleEvents(`system ${i}`, 20, { type: '$statistics' });
        await log.append(`$stats-${i}`, 'no-stream', system);
        const event = sampleEvent(`ours ${i}`, { homeid: 'home-1' });
        await store.append(`pool-${i}`, 'no-stream', [event]);
        expected.push(event.id);
      }
      await log.append(
        '$stats-last',
        'no-stream',
        sampleEvents('last', 30, { type: '$statistics' }),
      );
      await follower;
      expect(seen).toEqual(expected);
      for (const limit of [1, 2, 100]) {
        expect((await readWholeLog(store, limit)).map((e) => e.id)).toEqual(expected);
      }
      const [last] = (await store.readAll({ direction: 'backwards', limit: 1 })).events;
      expect(last?.id).toBe(expected.at(-1));
      expect((await store.head()).position).toBe(last?.position);
      const home = await store.readHome('home-1', { limit: 100 });
      expect(home.events.map((e) => e.id)).toEqual(expected);
      // A checkpoint behind which only the server has written is good.
      if (last === undefined) throw new Error('no event');
      const after = { epoch: last.epoch, position: last.position, eventId: last.id };
      const [message] = await take(store, after);
      expect(message).toEqual({ kind: 'caught-up', head: last.position });
    },
  );

  test('several who begin a log at once name it alike', async () => {
    const empty = await serve(memoryEventStore());
    const opened = await Promise.all(['a', 'b', 'c', 'd'].map((name) => open(empty.url, name)));
    const heads = await Promise.all(opened.map((each) => each.head()));
    expect(new Set(heads.map((head) => head.epoch)).size).toBe(1);
    expect(heads.every((head) => head.position === null)).toBe(true);
  });

  test('a log that another program has begun is refused', async () => {
    const foreign = memoryEventStore();
    await foreign.append(EPOCH_STREAM, 'no-stream', [sampleEvent('foreign')]);
    const { url } = await serve(foreign);
    expect((await refusal(open(url, 'foreign'))).code).toBe('corrupt');
  });

  test('a cluster found by its name may go away under many calls, and is found again', async () => {
    const port = Number(new URL(server.url.replace('esdb:', 'http:')).port);
    const query = 'tls=false&maxDiscoverAttempts=2&discoveryInterval=5&gossipTimeout=1';
    const found = await open(`esdb+discover://127.0.0.1:${port}?${query}`, 'discovering');
    const follower = found.subscribe()[Symbol.asyncIterator]();
    await follower.next();
    const under = Array.from({ length: 20 }, (_, i) =>
      found.append(`pool-${i}`, 'no-stream', [sampleEvent(`under ${i}`)]).catch((e: unknown) => e),
    );
    await server.close();
    const away = Array.from({ length: 20 }, () => refusal(found.readAll()));
    expect(new Set((await Promise.all(away)).map((e) => e.code))).toEqual(new Set(['unavailable']));
    for (const outcome of await Promise.all(under)) {
      expect(outcome).toEqual(
        expect.objectContaining(
          outcome instanceof Error
            ? { code: expect.stringMatching(/^(unavailable|outcome-unknown)$/) }
            : { revision: 0n },
        ),
      );
    }
    server = await serve(log, port);
    await found.append('pool-again', 'no-stream', [sampleEvent('again')]);
    for (let seen = false; !seen;) {
      const step = await follower.next();
      if (step.done !== true && step.value.kind === 'events') {
        seen = step.value.events.some((e) => e.stream === 'pool-again');
      }
    }
  });

  test('an event store that cannot be reached is said to be so when it is opened', async () => {
    await server.close();
    const error = await refusal(open(server.url, 'away'));
    expect(error.code).toBe('unavailable');
    expect(error.message).toContain('EVENT_STORE_URL');
    expect((await refusal(open('esdb://host:2113', 'unnamed'))).code).toBe('invalid');
  });
});

describe('a stream that somebody else deleted or truncated', () => {
  let other: EventStoreDBClient;
  beforeEach(async () => {
    other = EventStoreDBClient.connectionString(server.url);
    closing.push(() => other.dispose());
    await store.append('pool-1', 'no-stream', sampleEvents('old', 4));
  });

  test('softly is missing; what is appended then has the number that the server gave it', async () => {
    await other.deleteStream('pool-1');
    expect(await store.readStream('pool-1')).toEqual({ exists: false });
    expect(await store.readStream('pool-1', { direction: 'backwards' })).toEqual({ exists: false });
    const anew = sampleEvents('new', 2);
    const result = await store.append('pool-1', 'no-stream', anew);
    expect(result.revision).toBe(5n);
    expect((await store.readAll({ direction: 'backwards', limit: 1 })).events[0]).toMatchObject({
      revision: 5n,
      position: result.position,
    });
    // The log still has everything, and nothing of the server's own.
    expect(await readWholeLog(store)).toHaveLength(6);
    expect((await refusal(store.readStream('pool-1'))).code).toBe('corrupt');
  });

  test.each([
    ['some', { truncateBefore: 2 }],
    ['all', { truncateBefore: 4 }],
    ['all but one', { maxCount: 1 }],
  ])('of %s of its events is damaged, and never taken for a shorter one', async (_, metadata) => {
    await other.setStreamMetadata('pool-1', metadata);
    for (const options of [{}, { limit: 1 }, { direction: 'backwards' } as const]) {
      const error = await refusal(store.readStream('pool-1', options));
      expect([error.code, error.message]).toEqual(['corrupt', expect.stringContaining('pool-1')]);
    }
    await other.setStreamMetadata('pool-1', {});
    expect(await store.readStream('pool-1')).toMatchObject({ exists: true, head: 3n });
  });

  test('for ever is deleted, to whoever reads, appends or sends again', async () => {
    await other.tombstoneStream('pool-1');
    const attempts = [
      store.readStream('pool-1'),
      store.append('pool-1', 3n, [sampleEvent('next')]),
      store.append('pool-1', 'no-stream', sampleEvents('old', 4)),
    ];
    for (const attempt of attempts) expect((await refusal(attempt)).code).toBe('deleted');
    expect(await readWholeLog(store)).toHaveLength(4);
    await store.append('pool-2', 'no-stream', [sampleEvent('elsewhere')]);
  });
});

describe('the index of homes', () => {
  const file = (): string => path.join(folder, 'client', 'home-index.sqlite');
  let whole: readonly StoredEvent[] = [];
  beforeEach(async () => {
    for (let i = 0; i < 6; i++) {
      await store.append(
        `pool-${i}`,
        'no-stream',
        sampleEvents(`p${i}`, 3, { homeid: `home-${i % 2}` }),
      );
    }
    whole = (await readWholeLog(store)).filter((e) => e.homeid === 'home-1');
    expect(await store.readHome('home-1')).toEqual({ events: whole, end: true });
    await store.close();
  });

  test.each<[string, () => void]>([
    ['kept', () => undefined],
    ['deleted', () => rmSync(file())],
    ['damaged', () => writeFileSync(file(), 'x'.repeat(5000))],
    ['emptied', () => writeFileSync(file(), '')],
  ])('%s answers the same, and what came since', async (_, change) => {
    change();
    await log.append('pool-1', 2n, sampleEvents('since', 2, { homeid: 'home-1' }));
    store = await open();
    const { events } = await store.readHome('home-1');
    expect(events.map((e) => e.id)).toEqual([
      ...whole.map((e) => e.id),
      ...sampleEvents('since', 2).map((e) => e.id),
    ]);
  });

  test('of another log is made anew', async () => {
    const other = memoryEventStore();
    await other.append('pool-9', 'no-stream', sampleEvents('other', 9, { homeid: 'home-1' }));
    const { url } = await serve(other);
    store = await open(url);
    expect((await store.readHome('home-1')).events).toEqual(await readWholeLog(store));
  });

  test('of a log by the same name that was an older backup is made anew', async () => {
    const restored = memoryEventStore();
    const epoch = await log.readStream(EPOCH_STREAM);
    if (!epoch.exists) throw new Error('no epoch');
    await restored.append(EPOCH_STREAM, 'no-stream', epoch.events);
    await restored.append('pool-9', 'no-stream', sampleEvents('other', 30, { homeid: 'home-1' }));
    const { url } = await serve(restored);
    store = await open(url);
    expect((await store.readHome('home-1')).events).toHaveLength(30);
    expect((await store.readHome('home-0')).events).toEqual([]);
  });

  test('serves many who ask at once while others write', async () => {
    store = await open();
    const asked = Array.from({ length: 20 }, async (_, i) => {
      const { position } = await store.append(`more-${i}`, 'no-stream', [
        sampleEvent(`more ${i}`, { homeid: 'home-1' }),
      ]);
      const { events } = await store.readHome('home-1', { limit: 1000 });
      return events.some((e) => e.position === position);
    });
    expect(await Promise.all(asked)).toEqual(asked.map(() => true));
  });
});

async function take(
  from: EventStore,
  after: { epoch: string; position: string; eventId: string },
): Promise<unknown[]> {
  for await (const message of from.subscribe({ after })) return [message];
  return [];
}
