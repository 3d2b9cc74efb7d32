// The order in which a host starts: read models, then what must be before anything, then the rest; and
// that what was mended while it was stopped goes on.
import { afterEach, expect, test } from '@jest/globals';
import { accept, command, customer, event, type Principal } from '@bivouac/events/language';
import { z } from 'zod';

import { embeddedBus, partitionOf } from '../bus/index.ts';
import type { Bus, ConsumerOptions } from '../bus/port.ts';
import { type EventStore, memoryEventStore } from '../event-store/index.ts';
import { memoryViews, type View } from '../views/index.ts';
import { table } from '../views/port.ts';
import { ManualClock } from './clock.ts';
import {
  aggregate,
  type EdgePorts,
  handler,
  on,
  policy,
  projection,
  service,
  type ServiceDefinition,
  timers,
} from './definitions.ts';
import { Health } from './health.ts';
import { type Host, type HostOptions, startHost } from './host.ts';
import { createLogger } from './logging.ts';

const Noted = event('test.Noted', z.strictObject({ text: customer(z.string()) }));
const Note = command({
  name: 'test.Note',
  access: 'internal',
  input: z.strictObject({ text: z.string() }),
  result: z.strictObject({}),
});
const notebook = aggregate({
  category: 'notebook',
  events: [Noted],
  initial: () => ({}),
  evolve: (state) => state,
});
const notes = table<{ readonly text: string }>()({
  name: 'notes',
  key: (row) => row.text,
  indexes: {},
});

/** @param reacted is told of each event that is reacted to. */
function notesService(reacted?: (text: string) => void): ServiceDefinition {
  return service({
    name: 'notes',
    events: [Noted],
    commands: [
      handler(Note, notebook, {
        stream: () => 'notebook-1',
        owner: () => ({ tenantId: 't', homeId: 't' }),
        decide: (_state, { text }) => accept(Noted({ text })),
        result: () => ({}),
      }),
    ],
    queries: [],
    projections: [
      projection({
        name: 'notes',
        tables: [notes],
        on: [
          on(Noted, ({ data }, view) => {
            view.put(notes, data);
          }),
        ],
      }),
    ],
    policies:
      reacted === undefined
        ? []
        : [
            policy({
              name: 'notes.react',
              on: [Noted],
              react: ({ data }) => {
                reacted(data.text);
                return Promise.resolve();
              },
            }),
          ],
    responders: [],
  });
}

const principal: Principal = {
  ...{ id: 'system:test', kind: 'system', tenantId: 't', homeId: 't', audience: 'staff' },
  reach: 'all',
  rights: 'all',
};
const ports = {
  keys: { hmac: (owner: string) => owner },
  random: (bytes: number) => new Uint8Array(bytes),
} as unknown as EdgePorts;
const clock = new ManualClock('2026-04-10T09:00:00.000Z');

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(
  store: EventStore,
  of: ServiceDefinition,
  caughtUp?: (view: (service: string) => View) => Promise<void>,
  more: { readonly bus?: (bus: Bus) => Bus } & Pick<Partial<HostOptions>, 'health'> = {},
): Promise<Host> {
  const embedded = embeddedBus({ store, clock });
  const bus = more.bus?.(embedded) ?? embedded;
  closing.push(() => bus.close());
  const host = await startHost({
    ...{ services: [of], store, bus, ports, clock },
    ...(caughtUp === undefined ? {} : { caughtUp }),
    ...(more.health && { health: more.health }),
    views: () => memoryViews(),
    logger: createLogger('silent'),
    providerId: () => 't',
    onFailure: (error) => {
      throw error;
    },
  });
  closing.push(() => host.stop(1000));
  return host;
}

async function logOf(...texts: readonly string[]): Promise<EventStore> {
  const store = memoryEventStore();
  closing.push(() => store.close());
  const host = await start(store, notesService());
  for (const text of texts) {
    await host.command(Note, { text }, { principal, idempotencyKey: text });
  }
  return store;
}

test('what must be before anything sees all of the log, and nothing is reacted to until it is done', async () => {
  const store = await logOf('one', 'two');
  const order: string[] = [];
  const host = await start(
    store,
    notesService((text) => order.push(`reacted to ${text}`)),
    async (view) => {
      for (const text of ['one', 'two', 'three']) {
        order.push(`${text}: ${view('notes').get(notes, text) === undefined ? 'no' : 'yes'}`);
      }
      // Whoever could be first has every chance to be.
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      order.push('done');
    },
  );
  await host.command(Note, { text: 'three' }, { principal, idempotencyKey: 'three' });
  await host.settled();
  expect(order.slice(0, 4)).toEqual(['one: yes', 'two: yes', 'three: no', 'done']);
  expect(order).toContain('reacted to three');
});

test('where it fails the host does not start, and nothing is reacted to', async () => {
  const store = await logOf('one');
  const reacted: string[] = [];
  const failure = new Error('the keys cannot be held against the log');
  await expect(
    start(
      store,
      notesService((text) => reacted.push(text)),
      () => Promise.reject(failure),
    ),
  ).rejects.toBe(failure);
  expect(reacted).toEqual([]);
});

test('all that is due in a home is done when it is settled, on a clock that stands', async () => {
  const due = '2026-04-10T08:00:00.000Z';
  const texts = ['one', 'two', 'three'];
  const timed: ServiceDefinition = {
    ...notesService(() => undefined),
    projections: [
      projection({
        name: 'timed',
        tables: [notes, timers],
        on: [
          on(Noted, ({ data }, view) => {
            view.put(notes, data);
            view.delete(timers, data.text);
            if (data.text !== 'begin') return;
            for (const text of texts) {
              // The second waits for what the first has recorded, of which its home hears nothing.
              const firing = { command: Note.name, input: { text } };
              view.put(timers, { id: text, homeId: 'a quiet home', due, ...firing });
            }
          }),
        ],
      }),
    ],
  };
  const store = memoryEventStore();
  closing.push(() => store.close());
  const host = await start(store, timed);
  await host.command(Note, { text: 'begin' }, { principal, idempotencyKey: 'begin' });
  await host.settled();
  const noted = texts.map((text) => host.follower.view('notes').get(notes, text)?.text);
  expect(noted).toEqual(texts);
});

/** The embedded bus, of which partitions are taken and given as between several instances. */
function shared() {
  let consumer: ConsumerOptions | undefined;
  const bus = (inner: Bus): Bus => ({
    consume: (options) => {
      consumer = options;
      return inner.consume(options);
    },
    close: () => inner.close(),
  });
  return {
    bus,
    take: (home: string) => consumer?.revoked?.(partitionOf(home)),
    give: (home: string) => consumer?.from(partitionOf(home)),
    fail: (error: unknown) => consumer?.failed(error),
  };
}

test('a timer is left to the instance that has its home, and fires here when the home comes', async () => {
  const due = '2026-04-10T08:00:00.000Z';
  const home = 'a home elsewhere';
  const timed: ServiceDefinition = {
    ...notesService(() => undefined),
    projections: [
      projection({
        name: 'timed',
        tables: [notes, timers],
        on: [
          on(Noted, ({ data }, view) => {
            view.put(notes, data);
            if (data.text === 'fired') view.delete(timers, 'one');
            if (data.text !== 'begin') return;
            const firing = { command: Note.name, input: { text: 'fired' } };
            view.put(timers, { id: 'one', homeId: home, due, ...firing });
          }),
        ],
      }),
    ],
  };
  const store = memoryEventStore();
  closing.push(() => store.close());
  const { bus, take, give } = shared();
  const host = await start(store, timed, undefined, { bus });
  take(home);
  const fired = () => host.follower.view('notes').get(notes, 'fired')?.text;
  await host.command(Note, { text: 'begin' }, { principal, idempotencyKey: 'begin' });
  // Nothing is to be done here, so nothing is waited for.
  await host.settled();
  expect(fired()).toBeUndefined();
  expect(host.reactions.get('notes')?.assigned()).toHaveLength(63);
  await give(home);
  await host.settled();
  expect(fired()).toBe('fired');
});

test('a home that is parked on a partition which comes here is replayed', async () => {
  const store = memoryEventStore();
  closing.push(() => store.close());
  let broken = true;
  const reacted: string[] = [];
  const of = notesService((text) => {
    if (broken) throw new TypeError('a defect');
    reacted.push(text);
  });
  const { bus, take, give } = shared();
  const host = await start(store, of, undefined, { bus });
  await host.command(Note, { text: 'bad' }, { principal, idempotencyKey: 'bad' });
  await host.settled();
  expect(host.reactions.get('notes')?.parked()).toHaveLength(1);
  for (let written = false; !written;) {
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    written = (await store.readStream('checkpoint-notes')).exists;
  }
  take('t');
  expect(host.reactions.get('notes')?.parked()).toEqual([]);
  broken = false;
  await give('t');
  const { position } = await store.head();
  await host.command(Note, { text: 'more' }, { principal, idempotencyKey: 'more' });
  await host.reactions.get('notes')?.whenConsumed('t', position ?? '');
  expect(host.reactions.get('notes')?.parked()).toEqual([]);
  expect(reacted[0]).toBe('bad');
});

test('whatever must run and stops, the host is not ready from that moment, and is told once', async () => {
  const failures: unknown[] = [];
  const logger = createLogger('silent');
  const gone = new Error('the group cannot be consumed');
  for (const [stops, failure] of [
    [({ consumer }: Stopping) => consumer(gone), gone],
    [({ health }: Stopping) => health.fail('the relay has stopped'), 'the relay has stopped'],
  ] as const) {
    const store = memoryEventStore();
    closing.push(() => store.close());
    const hosts: Host[] = [];
    let ready: boolean | undefined;
    const health = new Health({
      logger,
      onFailure: (error) => {
        failures.push(error);
        ready = hosts[0]?.ready();
      },
    });
    const { bus, fail } = shared();
    const host = await start(
      store,
      notesService(() => undefined),
      undefined,
      { bus, health },
    );
    hosts.push(host);
    expect(host.ready()).toBe(true);
    stops({ consumer: fail, health });
    expect([ready, host.ready()]).toEqual([false, false]);
    stops({ consumer: fail, health });
    expect(failures.splice(0)).toEqual([failure]);
    await expect(host.settled()).rejects.toThrow();
  }
});

interface Stopping {
  readonly consumer: (error: unknown) => void;
  readonly health: Health;
}

test('a home that was parked goes on by itself once what failed was mended, and nothing of it is lost', async () => {
  const store = memoryEventStore();
  closing.push(() => store.close());
  let broken = true;
  const reacted: string[] = [];
  const of = notesService((text) => {
    if (broken && text === 'bad') throw new TypeError('a defect');
    reacted.push(text);
  });
  const note = (host: Host, text: string) =>
    host.command(Note, { text }, { principal, idempotencyKey: text });

  const first = await start(store, of);
  for (const text of ['good', 'bad', 'waits']) await note(first, text);
  await first.settled();
  expect(first.reactions.get('notes')?.parked()).toHaveLength(1);
  await first.stop(1000);

  const second = await start(store, of);
  await note(second, 'new');
  const { position } = await store.head();
  await second.reactions.get('notes')?.whenPassed('t', position ?? '');
  expect(second.reactions.get('notes')?.parked()).toMatchObject([{ reaction: 'notes.react' }]);
  await second.stop(1000);
  expect(reacted).toEqual(['good']);

  broken = false;
  const third = await start(store, of);
  await third.reactions.get('notes')?.whenConsumed('t', position ?? '');
  expect(third.reactions.get('notes')?.parked()).toEqual([]);
  expect(reacted).toEqual(['good', 'bad', 'waits', 'new']);
});
