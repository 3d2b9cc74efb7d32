// Read models follow the log: each event once and in order, whatever stops them.
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { memoryEventStore } from '../../event-store/memory.ts';
import { type EventStore, EventStoreError } from '../../event-store/port.ts';
import { memoryViews } from '../../views/memory.ts';
import type { ViewStore } from '../../views/store.ts';
import { ManualClock } from '../clock.ts';
import type { FollowerError } from './failure.ts';
import { type Follower, type FollowerOptions, startFollower } from './follower.ts';
import {
  calendar,
  logged,
  mortalViews,
  notebook,
  registry,
  seen,
  trap,
  Writer,
} from './sample-services.ts';

const START = '2026-04-10T09:00:00.000Z';
const services = [notebook, calendar];

const running: Follower[] = [];
afterEach(async () => {
  trap.n = undefined;
  await Promise.all(running.splice(0).map((follower) => follower.stop()));
});

interface World {
  readonly store: EventStore;
  readonly writer: Writer;
  readonly clock: ManualClock;
  readonly views: Readonly<Record<string, ViewStore>>;
  readonly failures: FollowerError[];
}

function world(views?: Record<string, ViewStore>): World {
  const store = memoryEventStore({ epoch: 'one' });
  return {
    store,
    writer: new Writer(store),
    clock: new ManualClock(START),
    views: views ?? { notebook: memoryViews(), calendar: memoryViews() },
    failures: [],
  };
}

function start(of: World, more: Partial<FollowerOptions> = {}): Follower {
  const follower = startFollower({
    store: of.store,
    registry,
    services,
    views: (name) => of.views[name] ?? memoryViews(),
    clock: of.clock,
    onFailure: (error) => of.failures.push(error),
    ...more,
  });
  running.push(follower);
  return follower;
}

const seenBy = (follower: Follower, service: string): readonly number[] =>
  follower.view(service).get(seen, 'all')?.ns ?? [];
const loggedBy = (follower: Follower): readonly string[] =>
  follower.view('calendar').get(logged, 'all')?.events ?? [];
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Waits for the log's present end. */
async function atHead(of: World, follower: Follower): Promise<void> {
  const { position } = await of.store.head();
  if (position === null) return follower.caughtUp;
  for (const { name } of services) expect(await follower.waitFor(name, position, 1e9)).toBe(true);
}

describe('the follower', () => {
  it('applies what there is, then what comes, in every service', async () => {
    const of = world();
    for (let i = 0; i < 7; i++) await of.writer.note('a');
    const follower = start(of, { batch: 3 });
    await follower.caughtUp;
    expect(seenBy(follower, 'notebook')).toEqual(upTo(7));
    const { position } = await of.writer.note('b');
    expect(await follower.waitFor('calendar', position, 1000)).toBe(true);
    expect(seenBy(follower, 'calendar')).toEqual(upTo(8));
    expect(follower.position('notebook')).toBe(position);
  });

  it('an empty log is caught up with at once', async () => {
    const follower = start(world());
    await follower.caughtUp;
    expect(follower.position('notebook')).toBeNull();
  });

  it('event types that nobody handles or knows are passed by', async () => {
    const of = world();
    await of.writer.note('a');
    const { position } = await of.writer.write('a', { type: 'others.Unknown', schemaver: 9 });
    const follower = start(of);
    await follower.caughtUp;
    expect(follower.position('notebook')).toBe(position);
    expect(seenBy(follower, 'notebook')).toEqual([0]);
    // What is taken as it is stored needs no type that is known.
    expect(loggedBy(follower).at(-1)).toBe(`${position} others.Unknown`);
  });

  it('each event applies once and in order across stops, crashes and late services', async () => {
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), count: fc.nat(9) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('stop', 'crash', 'commit') }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('crash-one', 'rebuild', 'see') }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 25 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 9 }),
        async (actions, batch, commitEvery) => {
          const disks = { notebook: memoryViews(), calendar: memoryViews() };
          let mortal = mortals(disks);
          const of = world(mortal);
          let follower = start(of, { batch, commitEvery });
          const restart = (): void => {
            mortal = mortals(disks);
            follower = start({ ...of, views: mortal }, { batch, commitEvery });
          };
          for (const step of actions) {
            if ('count' in step) for (let i = 0; i < step.count; i++) await of.writer.note('a');
            else if (step.do === 'commit') of.clock.advance(500);
            else if (step.do === 'see') await atHead(of, follower);
            else if (step.do === 'rebuild') {
              await follower.rebuild('notebook');
              await follower.rebuild('calendar');
            } else {
              if (step.do === 'crash') mortal.notebook.kill();
              if (step.do !== 'stop') mortal.calendar.kill();
              await follower.stop();
              restart();
            }
          }
          await atHead(of, follower);
          for (const { name } of services) {
            expect(seenBy(follower, name)).toEqual(upTo(of.writer.notes));
          }
          // As they are stored, all of them are seen so too.
          const { events } = await of.store.readAll();
          expect(loggedBy(follower)).toEqual(events.map((e) => `${e.position} ${e.type}`));
          expect(of.failures).toEqual([]);
          await follower.stop();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('services at different checkpoints each begin at their own', async () => {
    const of = world();
    for (let i = 0; i < 5; i++) await of.writer.note('a');
    const first = start(of, { services: [notebook] });
    await first.caughtUp;
    await first.stop();
    for (let i = 0; i < 5; i++) await of.writer.note('a');
    const both = start(of, { batch: 3 });
    await both.caughtUp;
    expect(seenBy(both, 'notebook')).toEqual(upTo(10));
    expect(seenBy(both, 'calendar')).toEqual(upTo(10));
  });

  it('a rebuilt read model equals the live one, by dump, and views follow it', async () => {
    const of = world();
    for (let i = 0; i < 40; i++) await of.writer.note(`home${i % 3}`);
    const follower = start(of, { batch: 7 });
    await follower.caughtUp;
    const view = follower.view('notebook');
    const live = follower.dump('notebook');
    const [one, two] = [follower.rebuild('notebook'), follower.rebuild('notebook')];
    expect(one).toBe(two);
    await one;
    expect(follower.dump('notebook')).toEqual(live);
    expect(live.tables['notes']?.rows).toBeGreaterThan(20);
    await of.writer.note('home0');
    await atHead(of, follower);
    expect(view.get(seen, 'all')?.ns).toEqual(upTo(41));
  });

  it('while a rebuild runs, queries see the whole old view, then the whole new one', async () => {
    const of = world();
    for (let i = 0; i < 30; i++) await of.writer.note('a');
    const follower = start(of, { batch: 2 });
    await follower.caughtUp;
    const counts = new Set<number>();
    let done = false;
    const rebuilt = follower.rebuild('notebook').then(() => (done = true));
    while (!done) {
      counts.add(seenBy(follower, 'notebook').length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await rebuilt;
    expect([...counts]).toEqual([30]);
  });

  it('a projection that throws stops all, names event and remedy, and tears nothing', async () => {
    const of = world();
    const follower = start(of, { batch: 4 });
    await follower.caughtUp;
    for (let i = 0; i < 3; i++) await of.writer.note('a');
    await atHead(of, follower);
    of.clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    trap.n = 4;
    await of.writer.note('a');
    const bad = await of.writer.note('a');
    expect(await follower.waitFor('notebook', bad.position, 1e9)).toBe(false);
    expect(of.failures).toHaveLength(1);
    const failure = of.failures[0];
    expect(failure?.services).toEqual(['notebook']);
    expect(failure?.message).toContain(
      `before event ${bad.id} (samples.NoteWritten) in ${bad.stream} at revision 4`,
    );
    expect(failure?.message).toContain('the trap has sprung');
    expect(failure?.message).toContain('rebuild');
    const before = seenBy(follower, 'notebook');
    expect(before).toEqual(upTo(before.length));
    expect(before.length).toBeLessThan(5);
    expect(follower.view('notebook').get(seen, 'all')?.ns.length).toBe(before.length);

    // With the cause gone, a rebuild mends it and following goes on.
    trap.n = undefined;
    await follower.rebuild('notebook');
    await of.writer.note('a');
    await atHead(of, follower);
    for (const { name } of services) expect(seenBy(follower, name)).toEqual(upTo(6));
  });

  it('a rebuild that fails leaves the old view in place', async () => {
    const of = world();
    for (let i = 0; i < 6; i++) await of.writer.note('a');
    const follower = start(of);
    await follower.caughtUp;
    trap.n = 3;
    await expect(follower.rebuild('notebook')).rejects.toThrow('the trap has sprung');
    expect(seenBy(follower, 'notebook')).toEqual(upTo(6));
    expect(of.failures).toEqual([]);
  });

  it('an event that cannot be read stops those who handle it, by name', async () => {
    const of = world();
    const { id } = await of.writer.note('a', { data: Buffer.from('{"n":"not a number"}') });
    const follower = start(of);
    await expect(follower.caughtUp).rejects.toThrow(id);
    expect(of.failures[0]?.services).toEqual(['notebook', 'calendar']);
    expect(of.failures[0]?.event?.id).toBe(id);
    await expect(follower.rebuild('calendar')).rejects.toThrow('cannot be read');
  });

  it('a checkpoint of another log stops it; a rebuild of each follows the new one', async () => {
    const of = world();
    for (let i = 0; i < 4; i++) await of.writer.note('a');
    const before = start(of);
    await before.caughtUp;
    await before.stop();
    const store = memoryEventStore({ epoch: 'two' });
    const restored = { ...of, store, writer: new Writer(store) };
    await restored.writer.note('b');
    const follower = start(restored);
    await expect(follower.caughtUp).rejects.toThrow('a backup was restored');
    await follower.rebuild('notebook');
    await follower.rebuild('calendar');
    await restored.writer.note('b');
    await atHead(restored, follower);
    for (const { name } of services) expect(seenBy(follower, name)).toEqual([0, 1]);
  });

  it('another event or none at one service’s checkpoint is noticed, though it is not the lowest', async () => {
    for (const length of [2, 9]) {
      const of = world();
      for (let i = 0; i < 4; i++) await of.writer.note('a');
      const first = start(of, { services: [notebook] });
      await first.caughtUp;
      await first.stop();
      // The same epoch, as after a restore that was not declared.
      const store = memoryEventStore({ epoch: 'one' });
      const writer = new Writer(store, 'another ');
      for (let i = 0; i < length; i++) await writer.note('b');
      const follower = start({ ...of, store, writer });
      await expect(follower.caughtUp).rejects.toThrow(
        length === 2 ? 'ends before' : 'where now stands',
      );
      expect(of.failures[0]?.services).toEqual(['notebook']);
    }
  });

  it('a wait is bounded by the injected clock, and ends when following ends', async () => {
    const of = world();
    const { position } = await of.writer.note('a');
    const follower = start(of);
    await follower.caughtUp;
    expect(await follower.waitFor('notebook', position, 0)).toBe(true);
    const later = position.replace(/.$/, '9');
    expect(await follower.waitFor('notebook', later, 0)).toBe(false);
    const bounded = follower.waitFor('notebook', later, 1000);
    of.clock.advance(1000);
    expect(await bounded).toBe(false);
    const forever = follower.waitFor('notebook', later, 1e9);
    await follower.stop();
    expect(await forever).toBe(false);
    expect(await follower.waitFor('notebook', later, 1e9)).toBe(false);
  });

  it('a store that cannot be reached for a while is followed again, from the own place', async () => {
    const of = world();
    let broken = 2;
    const flaky: EventStore = {
      append: (...append) => of.store.append(...append),
      readStream: (...read) => of.store.readStream(...read),
      readAll: (...read) => of.store.readAll(...read),
      readHome: (...read) => of.store.readHome(...read),
      head: () => of.store.head(),
      close: () => of.store.close(),
      async *subscribe(options) {
        for await (const message of of.store.subscribe(options)) {
          yield message;
          if (message.kind === 'events' && broken-- > 0) {
            throw new EventStoreError('unavailable', 'the connection was lost');
          }
        }
      },
    };
    for (let i = 0; i < 9; i++) await of.writer.note('a');
    const follower = start({ ...of, store: flaky }, { batch: 2 });
    // The pause before following again is of the injected clock.
    let caughtUp = false;
    void follower.caughtUp.then(() => (caughtUp = true));
    while (!caughtUp) {
      of.clock.advance(60_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seenBy(follower, 'notebook')).toEqual(upTo(9));
    expect(of.failures).toEqual([]);
  });

  it('the event loop turns between batches', async () => {
    const of = world();
    for (let i = 0; i < 50; i++) await of.writer.note('a');
    const follower = start(of, { batch: 5 });
    let turns = 0;
    const count = (): void => {
      turns += 1;
      setImmediate(count).unref();
    };
    setImmediate(count);
    await follower.caughtUp;
    expect(turns).toBeGreaterThanOrEqual(9);
  });

  it('commits while live by the clock, and at the end', async () => {
    const of = world();
    const follower = start(of, { services: [notebook] });
    await follower.caughtUp;
    const { position } = await of.writer.note('a');
    await follower.waitFor('notebook', position, 1e9);
    const views = of.views['notebook'] as ViewStore;
    const committed: number[] = [];
    const commit = views.commit.bind(views);
    views.commit = () => {
      committed.push(of.clock.now());
      commit();
    };
    of.clock.advance(200);
    await new Promise((resolve) => setImmediate(resolve));
    expect(committed).toEqual([Date.parse(START) + 200]);
    await follower.stop();
    expect(committed).toHaveLength(2);
  });

  it('what cannot be run is refused at the start', () => {
    const [first] = notebook.projections;
    if (first === undefined) throw new Error('the sample has projections');
    const twice = { ...notebook, projections: [first, first] };
    expect(() => start(world(), { services: [twice] })).toThrow('two projections named seen');
    const follower = start(world());
    expect(() => follower.view('nobody')).toThrow('does not run in this process');
  });
});

function mortals(disks: Record<'notebook' | 'calendar', ViewStore>) {
  return { notebook: mortalViews(disks.notebook), calendar: mortalViews(disks.calendar) };
}
