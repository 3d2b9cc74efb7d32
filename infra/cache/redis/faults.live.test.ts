// What may happen to a Redis: things are slower or counted by each process, as documented; no lease is
// held twice under one token, no token is smaller than one before it, no value is another's.
import { randomUUID } from 'node:crypto';

import { afterEach, expect, test } from '@jest/globals';

import { FaultyProxy } from '../../dev/proxy/proxy.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Cache } from '../port.ts';
import { survivingCache } from '../surviving.ts';
import { redisCache } from './cache.ts';
import { OwnRedis, withRedis } from './testing/server.ts';
import { parseRedisUrl } from './url.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});

const installation = randomUUID();
const limit = { capacity: 10, refillPerSecond: 0 };
const never = new AbortController().signal;

async function started(...options: readonly string[]): Promise<OwnRedis> {
  const server = await OwnRedis.start(...options);
  closing.push(() => server.dispose());
  return server;
}

/** A process's cache: the engine, which fails, and what its users see of it. */
async function opened(url: string) {
  const settings = parseRedisUrl(url);
  if ('problems' in settings) throw new Error(settings.problems.join('; '));
  const engine = await redisCache({ settings, installation });
  const outages: unknown[] = [];
  const cache = survivingCache(engine, {
    clock: systemClock,
    onOutage: (error) => outages.push(error),
  });
  closing.push(() => cache.close());
  return { engine, cache, outages };
}

/** Resolves when the engine answers again: nothing else tells. */
async function answers(engine: Cache): Promise<void> {
  for (;;) {
    try {
      await engine.get('any');
      return;
    } catch {
      await systemClock.sleep(20);
    }
  }
}

/** Units that a cache gives of a bucket until it refuses one. */
async function drained(cache: Cache, bucket: string): Promise<number> {
  for (let taken = 0; ; taken++) {
    if (!(await cache.take(bucket, 1, limit)).taken) return taken;
  }
}

withRedis(() => {
  test('FLUSHALL fills buckets once and frees leases, with a greater token', async () => {
    const server = await started();
    const [a, b] = [await opened(server.url), await opened(server.url)];
    await a.cache.set('k', 'v', 60_000);
    expect(await drained(a.cache, 'b')).toBe(10);
    const first = await a.cache.lease('l', 'a', 60_000);
    expect(await b.cache.lease('l', 'b', 60_000)).toBeUndefined();
    await server.admin.flushall();
    expect(await b.cache.get('k')).toBeUndefined();
    expect((await drained(a.cache, 'b')) + (await drained(b.cache, 'b'))).toBe(10);
    const second = await b.cache.lease('l', 'b', 60_000);
    expect((second?.token ?? 0n) > (first?.token ?? 0n)).toBe(true);
    // Who had it learns that it has it no more.
    expect(await a.cache.lease('l', 'a', 60_000)).toBeUndefined();
    expect([...a.outages, ...b.outages]).toEqual([]);
  });

  test('tokens grow also where Redis has lost everything and its clock is behind what it was', async () => {
    const server = await started();
    const [holder, waiting] = [await opened(server.url), await opened(server.url)];
    // A last token from years ahead: as of a machine whose clock was wrong.
    const ahead = 4_000_000_000_000_000n;
    await server.admin.set(`bivouac:${installation}:token:l`, String(ahead));
    const first = await holder.engine.lease('l', 'a', 60_000);
    expect(first).toEqual({ token: ahead + 1n });
    expect(await waiting.engine.lease('l', 'b', 60_000)).toBeUndefined();
    await server.admin.flushall();
    expect(await waiting.engine.lease('l', 'b', 60_000)).toEqual({ token: ahead + 2n });
    await server.admin.flushall();
    // It has been told of no token since its own; it asks and hears of the other one's first.
    expect(await waiting.engine.lease('l', 'b', 60_000)).toEqual({ token: ahead + 3n });
  });

  test('while a killed Redis is away each process counts for itself; started again it is used again', async () => {
    const server = await started();
    const [a, b] = [await opened(server.url), await opened(server.url)];
    const first = await a.cache.lease('l', 'a', 60_000);
    await a.cache.set('k', 'v', 60_000);
    let missed: () => void = () => undefined;
    const heardAgain = new Promise<void>((resolve) => (missed = resolve));
    const heard: string[] = [];
    let wake: () => void = () => undefined;
    await b.cache.subscribe(
      'c',
      (message) => {
        heard.push(message);
        wake();
      },
      never,
      () => missed(),
    );
    await server.kill();
    expect([await drained(a.cache, 'b'), await drained(b.cache, 'b')]).toEqual([10, 10]);
    expect(await a.cache.get('k')).toBeUndefined();
    expect(await a.cache.lease('l', 'a', 60_000)).toBeUndefined();
    await a.cache.publish('c', 'to nobody');
    await expect(a.engine.get('k')).rejects.toMatchObject({ code: 'unavailable' });
    expect([a.outages.length, b.outages.length]).toEqual([1, 1]);

    await server.run();
    await Promise.all([answers(a.engine), answers(b.engine)]);
    // Empty, so its bucket is a fresh one: the third and the last of this outage.
    expect((await drained(a.cache, 'b')) + (await drained(b.cache, 'b'))).toBe(10);
    const second = await b.cache.lease('l', 'b', 60_000);
    expect((second?.token ?? 0n) > (first?.token ?? 0n)).toBe(true);
    await heardAgain;
    const next = new Promise<void>((resolve) => (wake = resolve));
    await a.cache.publish('c', 'again');
    await next;
    expect(heard).toEqual(['again']);
  });

  test('a Redis that is full and drops nothing is an outage for what writes; what it has it gives', async () => {
    const server = await started('--maxmemory-policy', 'noeviction');
    const { cache, outages } = await opened(server.url);
    await cache.set('k', 'v', 60_000);
    await server.admin.config('SET', 'maxmemory', '1');
    await expect(server.admin.set('filler', 'x')).rejects.toThrow('OOM');
    expect(await cache.get('k')).toBe('v');
    await cache.set('other', 'v', 60_000);
    expect(await drained(cache, 'b')).toBe(10);
    expect(await cache.lease('l', 'a', 1000)).toBeUndefined();
    expect(String(outages[0])).toContain('OOM');
    await server.admin.config('SET', 'maxmemory', '0');
    await cache.set('k', 'newest', 60_000);
    expect(await cache.get('k')).toBe('newest');
    expect(await cache.lease('l', 'a', 1000)).toBeDefined();
  });

  test('a value that could not be replaced is not given as if it were the new one', async () => {
    const server = await started();
    const { cache } = await opened(server.url);
    await cache.set('k', 'old', 60_000);
    await server.admin.config('SET', 'maxmemory', '1');
    await cache.set('k', 'new', 60_000);
    expect(await cache.get('k')).toBeUndefined();
  });

  test('one that drops what was used longest ago forgets buckets and leases, and no token comes again', async () => {
    const server = await started('--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru');
    const { cache, outages } = await opened(server.url);
    const filler = 'x'.repeat(50_000);
    let last = 0n;
    for (let round = 0; round < 5; round++) {
      const lease = await cache.lease('l', `holder ${round}`, 60_000);
      if (lease !== undefined) {
        expect(lease.token > last).toBe(true);
        last = lease.token;
      }
      expect(await drained(cache, 'b')).toBeLessThanOrEqual(10);
      for (let i = 0; i < 200; i++) await server.admin.set(`filler ${round}/${i}`, filler);
    }
    expect(last).not.toBe(0n);
    expect(outages).toEqual([]);
  });

  test('of a Redis that falls silent every call fails, and the next ones without waiting', async () => {
    const server = await started();
    const { engine, cache } = await opened(server.url);
    let missed: () => void = () => undefined;
    const heardAgain = new Promise<void>((resolve) => (missed = resolve));
    await cache.subscribe(
      'c',
      () => undefined,
      never,
      () => missed(),
    );
    server.silence();
    const calls = await Promise.allSettled([
      ...Array.from({ length: 50 }, () => engine.take('b', 1, limit)),
      engine.get('k'),
      engine.set('k', 'v', 1000),
      engine.lease('l', 'a', 1000),
      engine.release('l', 'a'),
      engine.publish('c', 'm'),
      engine.subscribe('d', () => undefined, never),
    ]);
    expect(new Set(calls.map(({ status }) => status))).toEqual(new Set(['rejected']));
    await expect(engine.get('k')).rejects.toThrow('is not connected');
    expect((await cache.take('b', 1, limit)).taken).toBe(true);
    server.goOn();
    await answers(engine);
    await heardAgain;
    expect(await cache.lease('l', 'b', 1000)).toBeDefined();
  });

  test('one that accepts and never says a word keeps nobody from starting', async () => {
    const mute = await FaultyProxy.start({ to: { path: '/nonexistent' } });
    closing.push(() => mute.close());
    mute.swallow();
    const { cache, engine, outages } = await opened(`redis://127.0.0.1:${mute.port}`);
    expect(await drained(cache, 'b')).toBe(10);
    expect(await cache.lease('l', 'a', 1000)).toBeUndefined();
    await expect(cache.subscribe('c', () => undefined, never)).rejects.toThrow('is not connected');
    expect(outages.length).toBe(1);
    // It is left and tried again.
    await mute.whenAccepted(4);
    await expect(engine.get('k')).rejects.toThrow('did not answer');
  });

  test('connections that are cut are made anew, and who listens is told that it may have missed some', async () => {
    const server = await started();
    const { cache, engine } = await opened(server.url);
    for (let round = 0; round < 3; round++) {
      const stop = new AbortController();
      let missed: () => void = () => undefined;
      const told = new Promise<void>((resolve) => (missed = resolve));
      await cache.subscribe(
        'c',
        () => undefined,
        stop.signal,
        () => missed(),
      );
      await server.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await told;
      stop.abort();
      await server.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await answers(engine);
      expect((await engine.take(`round ${round}`, 1, limit)).taken).toBe(true);
    }
  });

  test('one that is cut whenever it subscribes anew ends no process, and listens again in the end', async () => {
    const server = await started();
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    closing.push(async () => void process.off('unhandledRejection', note));
    /** How often somebody wanted to listen: all but the first time and the last, the connection is cut. */
    let asked = 0;
    const between = await FaultyProxy.start({
      to: { host: '127.0.0.1', port: server.port },
      judge: () => (way, sent) =>
        way === 'up' && String(sent).includes('\r\nsubscribe\r\n') && ++asked > 1 && asked < 5
          ? 'cut'
          : 'pass',
    });
    closing.push(() => between.close());
    const { cache } = await opened(`redis://127.0.0.1:${between.port}`);
    let missed: () => void = () => undefined;
    const told = new Promise<void>((resolve) => (missed = resolve));
    const heard = new Promise<string>((resolve) => {
      void cache
        .subscribe('c', resolve, never, () => {
          missed();
        })
        .then(() => server.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    });
    await told;
    expect(asked).toBeGreaterThan(4);
    await cache.publish('c', 'there');
    expect(await heard).toBe('there');
    expect(unhandled).toEqual([]);
  });

  test('scripts that Redis has forgotten are sent again', async () => {
    const server = await started();
    const { engine } = await opened(server.url);
    expect((await engine.take('b', 4, limit)).remaining).toBe(6);
    await server.admin.script('FLUSH');
    expect((await engine.take('b', 4, limit)).remaining).toBe(2);
    expect(await engine.lease('l', 'a', 1000)).toBeDefined();
    await server.admin.script('FLUSH');
    await engine.release('l', 'a');
    expect(await engine.lease('l', 'b', 1000)).toBeDefined();
  });

  test('a wrong password is an outage that says so, the right one opens', async () => {
    const server = await started('--requirepass', 'secret');
    const wrong = await opened(`redis://:wrong@127.0.0.1:${server.port}`);
    expect(await drained(wrong.cache, 'b')).toBe(10);
    expect(String(wrong.outages[0])).toContain('WRONGPASS');
    expect(String(wrong.outages[0])).not.toContain('wrong@');
    const right = await opened(`redis://:secret@127.0.0.1:${server.port}`);
    await right.engine.set('k', 'v', 1000);
    expect(await right.engine.get('k')).toBe('v');
  });

  test('through any of it processes together take no more than the documented number of buckets', async () => {
    const server = await started();
    const processes = await Promise.all([1, 2, 3].map(() => opened(server.url)));
    let taken = 0;
    const all = async (): Promise<void> => {
      for (const { cache } of processes) taken += await drained(cache, 'b');
    };
    await all();
    server.silence();
    await all();
    server.goOn();
    await Promise.all(processes.map(({ engine }) => answers(engine)));
    await all();
    await server.kill();
    await all();
    await server.run();
    await Promise.all(processes.map(({ engine }) => answers(engine)));
    await all();
    // Redis' own, one more each time it has lost everything, and one of each process.
    expect(taken).toBeLessThanOrEqual((2 + processes.length) * limit.capacity);
  });
});
