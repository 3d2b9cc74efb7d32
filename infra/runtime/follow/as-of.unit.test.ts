// As of any moment: what a home was, with the platform's facts of that time.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatPosition } from '@bivouac/events/language';

import { memoryEventStore } from '../../event-store/memory.ts';
import { asOfPosition, viewAsOf } from './as-of.ts';
import { notebook, registry, seen, Writer } from './sample-services.ts';

const minute = (n: number): string => new Date(Date.UTC(2026, 3, 10, 9, n)).toISOString();

function setUp() {
  const store = memoryEventStore();
  const writer = new Writer(store);
  const viewAt = async (at: { position: string } | { time: string }, homeId = 'home') =>
    viewAsOf({ store, registry, service: notebook, homeId, at });
  return { store, writer, viewAt };
}

describe('a view as of a moment', () => {
  it('holds the home’s events and the platform’s up to the position, nobody else’s', async () => {
    const { writer, viewAt } = setUp();
    await writer.note('home'); // 0
    await writer.note('other'); // 1
    await writer.note('image-1', { stream: 'image-1' }); // 2: its own home
    const third = await writer.note('home'); // 3
    await writer.note('home'); // 4
    await writer.note('image-1', { stream: 'image-1' }); // 5
    const view = await viewAt({ position: third.position });
    expect(view.view.get(seen, 'all')?.ns).toEqual([0, 2, 3]);
    expect(view.position).toBe(third.position);
    view.close();
    const before = await viewAt({ position: formatPosition(1n) }, 'other');
    expect(before.view.get(seen, 'all')).toBeUndefined();
  });

  it('as of a time is the longest prefix whose times, at their highest, are not after it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ home: fc.constantFrom('home', 'other'), at: fc.nat(9) }), {
          maxLength: 20,
        }),
        fc.nat(9),
        async (events, at) => {
          const { store, writer } = setUp();
          let expected: string | null = null;
          let highest = 0;
          for (const event of events) {
            const { position } = await writer.note(event.home, { time: minute(event.at) });
            if (event.home !== 'home') continue;
            highest = Math.max(highest, event.at);
            if (highest <= at) expected = position;
          }
          expect(await asOfPosition(store, 'home', minute(at))).toBe(expected);
        },
      ),
    );
  });

  it('two views as of the same moment are equal by dump, whatever came later', async () => {
    const { writer, viewAt } = setUp();
    for (let i = 0; i < 9; i++) await writer.note('home', { time: minute(i) });
    const then = (await viewAt({ time: minute(5) })).dump();
    for (let i = 9; i < 30; i++) await writer.note('home', { time: minute(i) });
    const now = await viewAt({ time: minute(5) });
    expect(now.dump()).toEqual(then);
    expect(now.view.get(seen, 'all')?.ns).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('before anything happened there is an empty view without a position', async () => {
    const { writer, viewAt } = setUp();
    await writer.note('home', { time: minute(5) });
    const view = await viewAt({ time: minute(4) });
    expect(view.position).toBeNull();
    expect(view.dump().tables).toEqual({});
  });

  it('a moment that is none, or has not come, is named', async () => {
    const { viewAt } = setUp();
    await expect(viewAt({ time: 'yesterday' })).rejects.toThrow('"yesterday" is no instant');
    await expect(viewAt({ position: '12' })).rejects.toThrow('"12" is no position');
    await expect(viewAt({ position: formatPosition(3n) })).rejects.toThrow('has not come to');
  });
});
