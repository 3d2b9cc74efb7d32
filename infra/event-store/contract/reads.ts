/**
 * Laws of reading: paging both ways, missing is not empty, homes in log order.
 */
import { beforeEach, expect, test } from '@jest/globals';
import { formatPosition, parsePosition, type StoredEvent } from '@bivouac/events/language';
import type { Bench } from './bench.ts';
import { readWholeLog, refusal, sampleEvent, sampleEvents } from './samples.ts';

export function readLaws(bench: Bench): void {
  let log: StoredEvent[] = [];
  beforeEach(async () => {
    for (let i = 0; i < 10; i++) {
      const homeid = `home-${i % 3}`;
      await bench.store.append(`pool-${i}`, 'no-stream', sampleEvents(`p${i}`, 5, { homeid }));
    }
    await bench.store.append('pool-0', 4n, sampleEvents('more', 3, { homeid: 'home-0' }));
    log = await readWholeLog(bench.store);
    expect(log).toHaveLength(53);
  });

  test('a missing stream is not an empty page of one that exists', async () => {
    expect(await bench.store.readStream('pool-none')).toEqual({ exists: false });
    expect(await bench.store.readStream('pool-0', { from: 8n })).toEqual({
      exists: true,
      head: 7n,
      events: [],
      end: true,
    });
  });

  test.each([1, 2, 3, 8, 100])('a stream read forwards in pages of %i is whole', async (limit) => {
    const read: StoredEvent[] = [];
    for (let from = 0n, end = false; !end; from = BigInt(read.length)) {
      const page = await bench.store.readStream('pool-0', { from, limit });
      if (!page.exists) throw new Error('missing');
      expect(page.head).toBe(7n);
      expect(page.events.length).toBeLessThanOrEqual(limit);
      read.push(...page.events);
      end = page.end;
    }
    expect(read).toEqual(log.filter((e) => e.stream === 'pool-0'));
  });

  test.each([1, 3, 8, 100])('a stream read backwards in pages of %i is whole', async (limit) => {
    const read: StoredEvent[] = [];
    for (let from: bigint | undefined, end = false; !end;) {
      const page = await bench.store.readStream('pool-0', {
        direction: 'backwards',
        limit,
        ...(from === undefined ? {} : { from }),
      });
      if (!page.exists) throw new Error('missing');
      read.push(...page.events);
      end = page.end;
      from = (page.events.at(-1)?.revision ?? 0n) - 1n;
    }
    expect(read.reverse()).toEqual(log.filter((e) => e.stream === 'pool-0'));
  });

  test('a stream read starts at the revision given, both ways', async () => {
    const forwards = await bench.store.readStream('pool-0', { from: 5n, limit: 2 });
    expect(forwards.exists && forwards.events.map((e) => e.revision)).toEqual([5n, 6n]);
    expect(forwards.exists && forwards.end).toBe(false);
    const backwards = await bench.store.readStream('pool-0', {
      from: 2n,
      direction: 'backwards',
    });
    expect(backwards.exists && backwards.events.map((e) => e.revision)).toEqual([2n, 1n, 0n]);
    expect(backwards.exists && backwards.end).toBe(true);
  });

  test.each([1, 7, 53, 54, 1000])(
    'the log read in pages of %i is whole, both ways',
    async (limit) => {
      expect(await readWholeLog(bench.store, limit)).toEqual(log);
      const read: StoredEvent[] = [];
      for (let end = false; !end;) {
        const after = read.at(-1)?.position;
        const page = await bench.store.readAll({
          direction: 'backwards',
          limit,
          ...(after === undefined ? {} : { after }),
        });
        read.push(...page.events);
        end = page.end;
      }
      expect(read.reverse()).toEqual(log);
    },
  );

  test('a log read resumes after the position given, exclusively, both ways', async () => {
    const at = log[20];
    if (at === undefined) throw new Error('no event');
    const forwards = await bench.store.readAll({ after: at.position, limit: 3 });
    expect(forwards.events).toEqual(log.slice(21, 24));
    const backwards = await bench.store.readAll({
      after: at.position,
      limit: 3,
      direction: 'backwards',
    });
    expect(backwards.events).toEqual(log.slice(17, 20).reverse());
    const last = log.at(-1)?.position ?? '';
    expect(await bench.store.readAll({ after: last })).toEqual({ events: [], end: true });
  });

  test('a log read starts at any position, also where no event stands, both ways', async () => {
    const numbers = log.slice(0, 6).map((e) => parsePosition(e.position));
    const places = [...numbers, parsePosition(log.at(-1)?.position ?? '')].flatMap((n) => [
      n - 1n,
      n,
      n + 1n,
      n + 3n,
    ]);
    for (const place of [0n, ...places]) {
      const after = formatPosition(place);
      const behind = log.filter((e) => e.position > after);
      expect(await bench.store.readAll({ after, limit: 3 })).toEqual({
        events: behind.slice(0, 3),
        end: behind.length <= 3,
      });
      const before = log.filter((e) => e.position < after).reverse();
      expect(await bench.store.readAll({ after, limit: 3, direction: 'backwards' })).toEqual({
        events: before.slice(0, 3),
        end: before.length <= 3,
      });
    }
  });

  test.each([1, 4, 100])(
    'a home read in pages of %i is its part of the log, in order',
    async (limit) => {
      const read: StoredEvent[] = [];
      for (let end = false; !end;) {
        const after = read.at(-1)?.position;
        const page = await bench.store.readHome('home-0', {
          limit,
          ...(after === undefined ? {} : { after }),
        });
        read.push(...page.events);
        end = page.end;
      }
      expect(read).toEqual(log.filter((e) => e.homeid === 'home-0'));
    },
  );

  test('a home is read up to a position inclusively, and an unknown home is empty', async () => {
    const part = log.filter((e) => e.homeid === 'home-1');
    const [after, upTo] = [part[2]?.position ?? '', part[9]?.position ?? ''];
    const page = await bench.store.readHome('home-1', { after, upTo });
    expect(page).toEqual({ events: part.slice(3, 10), end: true });
    expect(await bench.store.readHome('home-none')).toEqual({ events: [], end: true });
  });

  test('who opens the log later reads the same', async () => {
    const again = await bench.log.again();
    expect(await readWholeLog(again)).toEqual(log);
    expect(await again.head()).toEqual({
      epoch: log[0]?.epoch,
      position: log.at(-1)?.position,
    });
    const { revision } = await again.append('pool-1', 4n, [
      sampleEvent('after', { homeid: 'home-1' }),
    ]);
    expect(revision).toBe(5n);
  });

  test('a position or a limit that is none is refused, naming it', async () => {
    const reads = [
      bench.store.readAll({ after: '12' }),
      bench.store.readHome('home-0', { upTo: 'x' }),
      bench.store.readAll({ limit: 0 }),
      bench.store.readStream('pool-0', { limit: 1.5 }),
    ];
    for (const read of reads) {
      const error = await refusal(read);
      expect([error.code, error.message]).toEqual([
        'invalid',
        expect.stringMatching(/position|limit/),
      ]);
    }
  });

  test('the head names the epoch and the last position', async () => {
    const fresh = await bench.store.head();
    expect(fresh.epoch).not.toBe('');
    expect(fresh.position).toBe(log.at(-1)?.position);
  });
}
