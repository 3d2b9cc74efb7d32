/** An account has so many seats at all gateways together, and is never refused one that is free. */
import { memoryCache } from '@bivouac/infra/cache';
import { ManualClock } from '@bivouac/infra/runtime';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { type Seat, type SeatCache, Seats } from './seats.ts';

const ACCOUNT = 'ten_one';

function gateways(count: number) {
  const machine = new ManualClock(0);
  const cache = memoryCache({ clock: machine });
  /** Gateways that the cache is away for. */
  const cutOff = new Set<number>();
  const reached = (gateway: number): Promise<void> =>
    cutOff.has(gateway) ? Promise.reject(new Error('away')) : Promise.resolve();
  const of = (gateway: number): SeatCache => ({
    lease: (...args) => reached(gateway).then(() => cache.lease(...args)),
    release: (...args) => reached(gateway).then(() => cache.release(...args)),
  });
  const all = Array.from({ length: count }, (_, n) => new Seats({ cache: of(n), machine }));
  return { machine, cutOff, all };
}

/** Until whoever has woken has done what it woke for. */
const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('whoever takes and leaves, at whichever gateway: all seats can be had, and no more', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.tuple(fc.nat(2), fc.boolean(), fc.nat(9), fc.nat(20_000)), { maxLength: 40 }),
      async (seats, acts) => {
        const { all, machine } = gateways(3);
        const held: Seat[] = [];
        for (const [at, takes, which, passed] of acts) {
          // Leases are renewed meanwhile.
          for (let left = passed; left > 0; left -= 1000) {
            machine.advance(Math.min(left, 1000));
            await turns();
          }
          if (takes) {
            const seat = await all[at]?.take(ACCOUNT, seats, which);
            expect(seat === undefined).toBe(held.length === seats);
            if (seat !== undefined) held.push(seat);
          } else {
            for (const seat of held.splice(which % Math.max(held.length, 1), 1)) seat.leave();
            await turns();
          }
        }
        for (const seat of held) seat.leave();
      },
    ),
    { numRuns: 60 },
  );
});

test('each account has its own', async () => {
  const { all } = gateways(1);
  expect(await all[0]?.take(ACCOUNT, 1, 0)).toBeDefined();
  expect(await all[0]?.take(ACCOUNT, 1, 0)).toBeUndefined();
  expect(await all[0]?.take('ten_other', 1, 0)).toBeDefined();
});

test('of a gateway that died they are free ten seconds later', async () => {
  const { machine, cutOff, all } = gateways(2);
  await all[0]?.take(ACCOUNT, 1, 0);
  machine.advance(3000);
  await turns();
  // Nothing of it arrives any more.
  cutOff.add(0);
  machine.advance(3000);
  expect(await all[1]?.take(ACCOUNT, 1, 0)).toBeUndefined();
  machine.advance(6999);
  await turns();
  expect(await all[1]?.take(ACCOUNT, 1, 0)).toBeUndefined();
  machine.advance(1);
  expect(await all[1]?.take(ACCOUNT, 1, 0)).toBeDefined();
});

test('while the cache is away each gateway counts by itself; back, what is open counts again', async () => {
  const { machine, cutOff, all } = gateways(2);
  cutOff.add(0);
  const seat = await all[0]?.take(ACCOUNT, 1, 0);
  expect(seat).toBeDefined();
  cutOff.clear();
  machine.advance(3000);
  await turns();
  expect(await all[1]?.take(ACCOUNT, 1, 0)).toBeUndefined();
  seat?.leave();
  await turns();
  expect(await all[1]?.take(ACCOUNT, 1, 0)).toBeDefined();
});
