/** A set has come to rest when all its replicas have, every partition is somebody's, and nothing is new. */
import { expect, test } from '@jest/globals';
import { formatPosition } from '@bivouac/events/language';
import { PARTITIONS } from '@bivouac/infra/bus';
import fc from 'fast-check';

import type { Settled } from './messages.ts';
import { whenSettled } from './settling.ts';

/**
 * A set of two replicas of one service that has so much left to do: each look finds one step of the
 * work, of the moves of partitions and of the deaths done.
 */
class Set2 {
  work: number;
  moves: number;
  deaths: number;
  pauses = 0;
  #head = 0n;
  #border = 20;

  constructor(left: { readonly work: number; readonly moves: number; readonly deaths: number }) {
    this.work = left.work;
    this.moves = left.moves;
    this.deaths = left.deaths;
  }

  head = () => Promise.resolve(formatPosition(this.#head));

  replicas = () =>
    [0, 1].map((replica) => ({
      service: 'billing',
      settle: async (): Promise<Settled> => {
        await Promise.resolve();
        if (replica === 1 && this.deaths > 0) {
          this.deaths -= 1;
          throw new Error('killed');
        }
        if (replica === 0 && this.work > 0) {
          this.work -= 1;
          this.#head += 1n;
        }
        const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
        const border = this.#border;
        // One has given it away, the other has not got it yet.
        const missing = replica === 1 && this.moves > 0 ? 1 : 0;
        if (missing === 1) {
          this.moves -= 1;
          this.#border = (border + 1) % PARTITIONS;
        }
        const partitions = replica === 0 ? all.slice(0, border) : all.slice(border + missing);
        return { partitions };
      },
    }));

  pause = () => {
    this.pauses += 1;
    return Promise.resolve();
  };
}

test('it waits for work, for partitions on their way and for who has died, whatever there is of each', async () => {
  const some = fc.integer({ min: 0, max: 5 });
  await fc.assert(
    fc.asyncProperty(some, some, some, async (work, moves, deaths) => {
      const set = new Set2({ work, moves, deaths });
      expect(await whenSettled(set)).toBe(await set.head());
      expect({ work: set.work, moves: set.moves, deaths: set.deaths }).toEqual({
        ...{ work: 0, moves: 0, deaths: 0 },
      });
      if (moves + deaths > 0) expect(set.pauses).toBeGreaterThan(0);
    }),
  );
});

test('services that react to nothing hold nothing, and an empty set is at rest', async () => {
  const nobody = { head: () => Promise.resolve(null), pause: () => Promise.reject(new Error()) };
  await whenSettled({ ...nobody, replicas: () => [] });
  const silent = { service: 'audit', settle: () => Promise.resolve({}) };
  await whenSettled({ ...nobody, replicas: () => [silent, silent] });
});
