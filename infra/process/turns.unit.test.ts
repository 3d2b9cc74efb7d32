// Of several processes one does it; the others wait, take over, and do no harm while the cache is away.
import { expect, test } from '@jest/globals';

import { type Cache, memoryCache } from '../cache/index.ts';
import { ManualClock } from '../runtime/index.ts';
import { type Doing, Turns } from './turns.ts';

function setUp() {
  const clock = new ManualClock(1_000_000);
  const engine = memoryCache({ clock });
  let away = false;
  const cache: Pick<Cache, 'lease' | 'release'> = {
    lease: (...args) => (away ? Promise.reject(new Error('ECONNREFUSED')) : engine.lease(...args)),
    release: (...args) =>
      away ? Promise.reject(new Error('ECONNREFUSED')) : engine.release(...args),
  };
  const doing = new Set<string>();
  const log: string[] = [];
  const failures: unknown[] = [];
  const write = (_facts: unknown, message?: string): void => {
    log.push(message ?? '');
  };
  const start = (name: string, begin?: () => Promise<Doing>): Promise<Turns> =>
    Turns.start({
      cache,
      name: 'relay',
      begin:
        begin ??
        (async () => {
          doing.add(name);
          return {
            stop: async () => {
              doing.delete(name);
            },
          };
        }),
      logger: { info: write, warn: write },
      onFailure: (error) => failures.push(error),
      network: clock,
    });
  /** Lets so many seconds pass, each with all that follows from it. */
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds * 10; i++) {
      clock.advance(100);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  };
  const setAway = (to: boolean): void => {
    away = to;
  };
  return { engine, doing, log, failures, start, pass, setAway };
}

test('the first does it at once, the second waits and takes over when the first stops', async () => {
  const { doing, start, pass } = setUp();
  const a = await start('a');
  const b = await start('b');
  expect([a.active, b.active, [...doing]]).toEqual([true, false, ['a']]);
  await pass(60);
  expect([...doing]).toEqual(['a']);
  await a.stop();
  await a.stop();
  expect([...doing]).toEqual([]);
  await pass(5);
  expect([...doing]).toEqual(['b']);
  await b.stop();
  expect([...doing]).toEqual([]);
});

test('one that died without a word is followed when its lease has ended, by one of those who wait', async () => {
  const { doing, engine, start, pass } = setUp();
  await engine.lease('relay', 'one that died', 6000);
  const waiting = [await start('a'), await start('b'), await start('c')];
  expect([...doing]).toEqual([]);
  await pass(11);
  expect(doing.size).toBe(1);
  await pass(60);
  expect(doing.size).toBe(1);
  await Promise.all(waiting.map((turns) => turns.stop()));
});

test('while the cache is away who does it goes on, and who waits waits', async () => {
  const { doing, start, pass, setAway, log } = setUp();
  const a = await start('a');
  const b = await start('b');
  setAway(true);
  await pass(120);
  expect([...doing]).toEqual(['a']);
  setAway(false);
  await pass(30);
  expect(doing.size).toBe(1);
  expect(log.filter((line) => line.includes('is away')).length).toBe(2);
  await Promise.all([a.stop(), b.stop()]);
});

test('one that starts while the cache is away does it, as if there were none', async () => {
  const { doing, start, setAway } = setUp();
  setAway(true);
  const a = await start('a');
  expect([...doing]).toEqual(['a']);
  await a.stop();
});

test('a lease that was lost and is another’s now ends the turn; that one begins only afterwards', async () => {
  const { doing, engine, start, pass } = setUp();
  const a = await start('a');
  const b = await start('b');
  let most = 0;
  for (let round = 0; round < 20; round++) {
    // As FLUSHALL does: nobody has it.
    const holders = [a, b].filter((turns) => turns.active);
    expect(holders.length).toBe(1);
    const thief = `thief ${round}`;
    await forget(engine);
    await engine.lease('relay', thief, 1500);
    for (let tenth = 0; tenth < 100; tenth++) {
      await pass(0.1);
      most = Math.max(most, doing.size);
    }
  }
  expect(most).toBe(1);
  await Promise.all([a.stop(), b.stop()]);
});

test('what cannot be begun is told: to who starts it, and later to the process', async () => {
  const { failures, start, pass, engine } = setUp();
  const broken = (): Promise<Doing> => Promise.reject(new Error('no broker'));
  await expect(start('a', broken)).rejects.toThrow('no broker');
  await forget(engine);
  await engine.lease('relay', 'another', 2000);
  const b = await start('b', broken);
  await pass(10);
  expect(failures).toEqual([new Error('no broker')]);
  await b.stop();
});

/** Loses all leases: those of the cache in memory end with it. */
async function forget(engine: Cache): Promise<void> {
  await engine.close();
}
