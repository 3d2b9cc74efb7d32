// Timers: each deadline fires once it is due, in due order within a home, and not before it may.
import { afterEach, describe, expect, it } from '@jest/globals';

import { memoryEventStore } from '../../event-store/memory.ts';
import { memoryViews } from '../../views/memory.ts';
import { ManualClock } from '../clock.ts';
import type { TimerRow } from '../definitions.ts';
import { startFollower } from './follower.ts';
import { calendar, notebook, registry, Writer } from './sample-services.ts';
import { startTimers, type TimersOptions } from './timers.ts';

const minute = (n: number): string => new Date(Date.UTC(2026, 3, 10, 9, n)).toISOString();
const services = [notebook, calendar];
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function setUp(more: Partial<TimersOptions> = {}) {
  const store = memoryEventStore();
  const writer = new Writer(store);
  const clock = new ManualClock(minute(0));
  const fired: string[] = [];
  const warnings: unknown[] = [];
  const follower = startFollower({
    store,
    registry,
    services,
    views: () => memoryViews(),
    clock,
    onFailure: (error) => {
      throw error;
    },
  });
  const start = () => {
    const timers = startTimers({
      services,
      follower,
      clock,
      mayFire: () => true,
      fire: async (service, row) => {
        fired.push(`${service}/${row.id}`);
        await writer.met(row.homeId, row.id);
        return 'done';
      },
      logger: { warn: (x: unknown) => warnings.push(x), error: (x: unknown) => warnings.push(x) },
      ...more,
    });
    stops.push(() => timers.stop());
    return timers;
  };
  stops.push(() => follower.stop());
  const applied = async (): Promise<void> => {
    const { position } = await store.head();
    if (position !== null) await follower.waitFor('calendar', position, 1e9);
  };
  return { writer, clock, fired, warnings, follower, applied, start };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('timers', () => {
  it('fire when the clock comes to them, in due order, and their rows go', async () => {
    const { writer, clock, fired, applied, start } = setUp();
    await writer.deadline('a', 'late', minute(30));
    await writer.deadline('a', 'early', minute(10));
    await writer.deadline('a', 'middle', minute(20));
    const timers = start();
    await applied();
    await timers.idle();
    expect(fired).toEqual([]);
    expect(timers.next()).toBe(minute(10));
    clock.moveTo(minute(10));
    await timers.idle();
    expect(fired).toEqual(['calendar/early']);
    await applied();
    clock.moveTo(minute(59));
    await timers.idle();
    expect(fired).toEqual(['calendar/early', 'calendar/middle', 'calendar/late']);
    await applied();
    expect(timers.next()).toBeUndefined();
  });

  it('of those that are not to be fired here none is fired, waited for, or named as next', async () => {
    const mine = new Set(['a']);
    const { writer, clock, fired, applied, start } = setUp({
      isHere: (_service, row) => mine.has(row.homeId),
    });
    await writer.deadline('b', 'theirs', minute(10));
    await writer.deadline('a', 'ours', minute(20));
    const timers = start();
    await applied();
    clock.moveTo(minute(15));
    await timers.idle();
    expect(timers.next()).toBe(minute(20));
    clock.moveTo(minute(20));
    await timers.idle();
    expect(fired).toEqual(['calendar/ours']);
    await applied();
    mine.add('b');
    timers.wake();
    await timers.idle();
    expect(fired).toEqual(['calendar/ours', 'calendar/theirs']);
  });

  it('one whose home goes elsewhere while it is held back is not fired', async () => {
    let here = true;
    let release: (may: boolean) => void = () => undefined;
    const { writer, fired, applied, start } = setUp({
      isHere: () => here,
      mayFire: () => new Promise<boolean>((resolve) => (release = resolve)),
    });
    await writer.deadline('a', 'ours', minute(0));
    const timers = start();
    await applied();
    await turn();
    here = false;
    release(true);
    await timers.idle();
    await turn();
    expect(fired).toEqual([]);
  });

  it('one set while running fires without being waited for, though its due time has passed', async () => {
    const { writer, clock, fired, applied, start } = setUp();
    const timers = start();
    clock.moveTo(minute(5));
    await writer.deadline('a', 'past', minute(1));
    await applied();
    await timers.idle();
    expect(fired).toEqual(['calendar/past']);
  });

  it('one whose row still stands is not fired again; moved to a new time, it is', async () => {
    const rows: string[] = [];
    const { writer, clock, applied, start } = setUp({
      fire: async (_service, row) => {
        rows.push(row.due);
        return 'done';
      },
    });
    const timers = start();
    await writer.deadline('a', 'x', minute(1));
    await applied();
    clock.moveTo(minute(2));
    await timers.idle();
    for (let i = 0; i < 5; i++) await writer.note('a');
    await applied();
    clock.moveTo(minute(3));
    await timers.idle();
    expect(rows).toEqual([minute(1)]);
    expect(timers.next()).toBeUndefined();
    await writer.deadline('a', 'x', minute(3));
    await applied();
    await timers.idle();
    expect(rows).toEqual([minute(1), minute(3)]);
  });

  it('waits for the reactions of its home, while other homes go on', async () => {
    let free = false;
    const asked: string[] = [];
    const { writer, clock, fired, applied, start } = setUp({
      mayFire: (_service, row) => {
        asked.push(row.homeId);
        return row.homeId !== 'behind' || free;
      },
    });
    await writer.deadline('behind', 'one', minute(1));
    await writer.deadline('behind', 'two', minute(2));
    await writer.deadline('ahead', 'three', minute(3));
    const timers = start();
    await applied();
    clock.moveTo(minute(5));
    for (let i = 0; i < 20; i++) await turn();
    expect(fired).toEqual(['calendar/three']);
    // Asked on news only, not in a loop.
    expect(asked.length).toBeLessThan(10);
    free = true;
    timers.wake();
    await timers.idle();
    expect(fired).toEqual(['calendar/three', 'calendar/one', 'calendar/two']);
  });

  it('a wait for reactions that never ends holds its home alone, and no stop', async () => {
    const { writer, clock, fired, applied, start } = setUp({
      mayFire: async (_service, row) =>
        row.homeId !== 'parked' || new Promise<boolean>(() => undefined),
    });
    await writer.deadline('parked', 'one', minute(1));
    await writer.deadline('fine', 'two', minute(2));
    const timers = start();
    await applied();
    clock.moveTo(minute(5));
    for (let i = 0; i < 20; i++) await turn();
    expect(fired).toEqual(['calendar/two']);
    await timers.stop();
  });

  it('one that fails is tried again: a few times at once, then with growing pauses', async () => {
    let failures = 5;
    const attempts: number[] = [];
    const { writer, clock, warnings, applied, start } = setUp({
      fire: async () => {
        attempts.push(clock.now());
        if (failures-- <= 0) return 'done';
        if (failures % 2 === 0) throw new Error('the store is away');
        return 'retry';
      },
    });
    const timers = start();
    await writer.deadline('a', 'x', minute(1));
    await applied();
    clock.moveTo(minute(1));
    for (let i = 0; i < 40; i++) await turn();
    expect(attempts).toHaveLength(4);
    clock.advance(200);
    for (let i = 0; i < 10; i++) await turn();
    expect(attempts).toHaveLength(5);
    clock.advance(200);
    for (let i = 0; i < 10; i++) await turn();
    expect(attempts).toHaveLength(5);
    clock.advance(200);
    await timers.idle();
    expect(attempts).toHaveLength(6);
    expect(warnings).toHaveLength(5);
  });

  it('one met before its turn came is not fired', async () => {
    let release: (may: boolean) => void = () => undefined;
    const { writer, clock, fired, applied, start } = setUp({
      mayFire: () => new Promise((resolve) => (release = resolve)),
    });
    const timers = start();
    await writer.deadline('a', 'x', minute(1));
    await applied();
    clock.moveTo(minute(1));
    await turn();
    await writer.met('a', 'x');
    await applied();
    release(true);
    await timers.idle();
    expect(fired).toEqual([]);
  });

  it('many due at once fire each once, in order within each home', async () => {
    const order = new Map<string, string[]>();
    let under = 0;
    let most = 0;
    const { writer, clock, applied, start } = setUp({
      concurrency: 4,
      fire: async (_service, row: TimerRow) => {
        most = Math.max(most, ++under);
        await turn();
        order.set(row.homeId, [...(order.get(row.homeId) ?? []), row.due]);
        under -= 1;
        return 'done';
      },
    });
    const expected: string[] = [];
    for (let i = 0; i < 8; i++) {
      expected.push(minute(i));
      for (let home = 0; home < 30; home++) {
        await writer.deadline(`h${home}`, `t${(i * 7 + home) % 8}-${i}-${home}`, minute(i));
      }
    }
    const timers = start();
    await applied();
    clock.moveTo(minute(9));
    await timers.idle();
    expect(order.size).toBe(30);
    for (const dues of order.values()) expect(dues).toEqual(expected);
    expect(most).toBe(4);
  });

  it('none fires before the read models have caught up, or after a stop', async () => {
    const { writer, clock, fired, applied, start, follower } = setUp();
    await writer.deadline('a', 'x', minute(0));
    const timers = start();
    expect(fired).toEqual([]);
    await follower.caughtUp;
    await timers.idle();
    expect(fired).toEqual(['calendar/x']);
    await timers.stop();
    await writer.deadline('a', 'y', minute(1));
    await applied();
    clock.moveTo(minute(9));
    for (let i = 0; i < 5; i++) await turn();
    expect(fired).toEqual(['calendar/x']);
    await timers.idle();
  });
});
