/** Seeded randomness for tests: one seed, one interleaving. */

export interface Shuffle {
  /** A whole number from 0 to below `n`. */
  below(n: number): number;
}

/** A small generator (mulberry32) that gives the same numbers for the same seed. */
export function seededShuffle(seed: number): Shuffle {
  let state = seed >>> 0;
  return {
    below(n) {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000) * n);
    },
  };
}
