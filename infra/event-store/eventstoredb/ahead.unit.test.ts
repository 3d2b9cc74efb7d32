// Reading ahead changes when pages are read, not what a follower sees of the log.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Position, StoredEvent } from '@bivouac/events/language';
import { sampleEvents } from '../contract/samples.ts';
import { memoryEventStore } from '../memory.ts';
import { Ahead } from './ahead.ts';

test('whatever is written while pages are read: all once, in order, and the end is never said too early', async () => {
  const writes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(writes, fc.integer({ min: 1, max: 5 }), async (sizes, limit) => {
      const log = memoryEventStore();
      const ahead = new Ahead((after, n) =>
        log.readAll(after === undefined ? { limit: n } : { after, limit: n }),
      );
      await log.append('first', 'no-stream', sampleEvents('first', 7));
      const seen: StoredEvent[] = [];
      let after: Position | undefined;
      const waiting = [...sizes.entries()];
      for (;;) {
        const page = await ahead.page(after, limit);
        seen.push(...page.events);
        after = seen.at(-1)?.position;
        // Nothing was written since the page was asked for, so its end is the log's.
        if (page.end) expect(after).toBe((await log.head()).position);
        const write = waiting.shift();
        if (write === undefined) {
          if (page.end) break;
          continue;
        }
        const [i, size] = write;
        if (size > 0) await log.append(`more-${i}`, 'no-stream', sampleEvents(`more ${i}`, size));
      }
      expect(seen).toEqual((await log.readAll()).events);
    }),
    { numRuns: 100 },
  );
});

test('a read ahead that failed is the follower’s failure when it comes to it, and is tried anew then', async () => {
  const log = memoryEventStore();
  await log.append('first', 'no-stream', sampleEvents('first', 4));
  const failures = [false, true, false, false];
  const ahead = new Ahead((after, n) =>
    failures.shift() === true
      ? Promise.reject(new Error('away'))
      : log.readAll(after === undefined ? { limit: n } : { after, limit: n }),
  );
  const first = await ahead.page(undefined, 2);
  const after = first.events[1]?.position;
  await expect(ahead.page(after, 2)).rejects.toThrow('away');
  expect((await ahead.page(after, 2)).events.map((e) => e.revision)).toEqual([2n, 3n]);
});
