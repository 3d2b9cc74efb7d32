// The recent end of the log in memory: never a gap, never beyond its bounds.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sampleEvents } from '../contract/samples.ts';
import { positionOf } from './decode.ts';
import { RecentEvents } from './recent.ts';

const EPOCH = 'an-epoch';

function positions(recent: RecentEvents, after: number, head: number, limit = 10_000): string[] {
  return recent.after(after, head, limit).map((event) => event.position);
}

test('answers exactly what follows a position, or that it has not got it', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 30 });
  fc.assert(
    fc.property(
      fc.nat(50),
      sizes,
      fc.nat(200),
      fc.integer({ min: 1, max: 20 }),
      (head, of, at, limit) => {
        const recent = new RecentEvents(EPOCH, head);
        let last = head;
        for (const [i, size] of of.entries()) {
          const events = sampleEvents(`${i}`, size);
          recent.add({ stream: `pool-${i}`, revision: 0, position: last + 1, events });
          last += size;
        }
        const there = at < head ? 0 : Math.max(0, Math.min(limit, last - at));
        const expected = Array.from({ length: there }, (_, i) => positionOf(at + 1 + i));
        expect(positions(recent, at, last, limit)).toEqual(expected);
      },
    ),
  );
});

test('bridges no gap: what does not follow begins anew, what was before is to be read', () => {
  const recent = new RecentEvents(EPOCH, 0);
  recent.add({ stream: 'pool-1', revision: 0, position: 1, events: sampleEvents('a', 2) });
  recent.add({ stream: 'pool-2', revision: 0, position: 5, events: sampleEvents('b', 2) });
  expect(positions(recent, 0, 6)).toEqual([]);
  expect(positions(recent, 3, 6)).toEqual([]);
  expect(positions(recent, 4, 6)).toEqual([positionOf(5), positionOf(6)]);
});

test('answers nothing where the log reaches beyond what it was given', () => {
  const recent = new RecentEvents(EPOCH, 0);
  recent.add({ stream: 'pool-1', revision: 0, position: 1, events: sampleEvents('a', 2) });
  expect(positions(recent, 0, 3)).toEqual([]);
});

test('keeps a bounded number of events and of bytes, the last ones', () => {
  const many = new RecentEvents(EPOCH, 0);
  for (let i = 0; i < 300; i++) {
    many.add({
      stream: `pool-${i}`,
      revision: 0,
      position: 1 + 10 * i,
      events: sampleEvents('a', 10),
    });
  }
  expect(positions(many, 0, 3000)).toEqual([]);
  expect(positions(many, 2000, 3000)).toHaveLength(1000);

  const large = new RecentEvents(EPOCH, 0);
  let kept = 0;
  for (let i = 0; i < 200; i++) {
    const [event] = sampleEvents('large', 1);
    if (event === undefined) throw new Error('no event');
    const data = new Uint8Array(64 * 1024);
    large.add({ stream: `pool-${i}`, revision: 0, position: 1 + i, events: [{ ...event, data }] });
    kept = [...Array(i + 1).keys()].filter((at) => positions(large, at, i + 1).length > 0).length;
    expect(kept).toBeLessThanOrEqual(64);
  }
  expect(kept).toBeGreaterThan(16);
});
