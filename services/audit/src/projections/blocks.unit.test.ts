/** The index of blocks is a function of the log alone, and misses nothing. */
import type { StoredEvent } from '@bivouac/events/language';
import { memoryViews, type View } from '@bivouac/infra/views';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { type Stretch, stretchesOf } from '../queries/stretches.ts';
import { actorMark, blocksProjection, typeMark } from './blocks.ts';

const factArb = fc.record({
  actorid: fc.constantFrom('a', 'b', 'c', 'policy:x.y'),
  type: fc.constantFrom('x.Done', 'x.Undone'),
  hour: fc.integer({ min: 0, max: 40 }),
  /** Positions may have gaps: of the home that a view is as of, say. */
  step: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 400 })),
});

type Fact = typeof factArb extends fc.Arbitrary<infer F> ? F : never;

function eventsOf(facts: readonly Fact[]): StoredEvent[] {
  let position = 0;
  return facts.map(({ actorid, type, hour, step }) => {
    position += step;
    return {
      ...{ actorid, type, position: String(position).padStart(20, '0') },
      time: new Date(Date.UTC(2026, 3, 10, hour, 30)).toISOString(),
      ...{ id: `id${position}`, stream: 's', revision: 0n, epoch: 'e', schemaver: 1 },
      ...{ tenantid: 't', homeid: 't', correlationid: 'c', causationid: 'c' },
      ...{ commandkey: 'k', inputhash: '', data: new Uint8Array() },
    };
  });
}

function indexed(events: readonly StoredEvent[], cuts: readonly number[]) {
  const views = memoryViews({ tables: blocksProjection.tables });
  for (let start = 0, i = 0; start < events.length; i++) {
    const piece = events.slice(start, start + (cuts[i % cuts.length] ?? 1));
    const last = piece.at(-1);
    if (last === undefined) break;
    views.apply({ epoch: 'e', position: last.position, eventId: last.id }, (view) => {
      blocksProjection.stored?.(piece, view);
    });
    start += piece.length;
  }
  return views;
}

const factsArb = fc.array(factArb, { minLength: 1, maxLength: 120, size: 'max' });

test('however the log is cut into pieces, the same rows come out', () => {
  fc.assert(
    fc.property(
      factsArb,
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 }),
      (facts, cuts) => {
        const events = eventsOf(facts);
        expect(indexed(events, cuts).dump()).toEqual(indexed(events, [events.length]).dump());
      },
    ),
  );
});

test('no event lies outside the stretches that are looked at for it, and none is looked at twice', () => {
  fc.assert(
    fc.property(
      factsArb,
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 40 }),
      fc.constantFrom(undefined, actorMark('a'), actorMark('none'), typeMark('x.Done')),
      fc.boolean(),
      (facts, from, to, mark, reverse) => {
        const events = eventsOf(facts);
        const { view } = indexed(events, [7]);
        const whole = { after: 0n, before: 1_000_000n };
        const range = { from: hour(from), to: hour(to) };
        const stretches = [...stretchesOf(view, whole, { mark, ...range }, reverse)];
        expect(inOrder(stretches, reverse)).toBe(true);
        const missed = events.filter(
          (e) =>
            (mark === undefined || [actorMark(e.actorid), typeMark(e.type)].includes(mark)) &&
            e.time >= range.from &&
            e.time < range.to &&
            !stretches.some((s) => BigInt(e.position) > s.after && BigInt(e.position) < s.before),
        );
        expect(missed).toEqual([]);
      },
    ),
  );
});

test('what was not indexed yet is looked at all the same', () => {
  const events = eventsOf([{ actorid: 'a', type: 'x.Done', hour: 0, step: 1500 }]);
  const whole = { after: 0n, before: 9000n };
  const stretches = (view: View) => [...stretchesOf(view, whole, { mark: 'a b' }, false)];
  expect(stretches(indexed([], [1]).view)).toEqual([whole]);
  expect(stretches(indexed(events, [1]).view)).toEqual([{ after: 999n, before: 9000n }]);
});

function hour(n: number): string {
  return new Date(Date.UTC(2026, 3, 10, n)).toISOString();
}

function inOrder(stretches: readonly Stretch[], reverse: boolean): boolean {
  const ascending = reverse ? stretches.toReversed() : stretches;
  return ascending.every((s, i) => s.after >= (ascending[i - 1]?.before ?? 1n) - 1n);
}
