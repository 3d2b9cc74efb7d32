/** What a seed stands for: how many of everything there are, and what goes wrong, how often. */
import { Draws } from '@bivouac/all/draws';

import type { BusFaults } from './broker.ts';
import type { Weather } from './process.ts';
import type { StoreFaults } from './store.ts';
import type { WireFaults } from './wire.ts';

export interface SimulationSettings {
  readonly seed: number;
  /** Processes that run all services. */
  readonly hosts: number;
  readonly relays: number;
  /** What customers and staff want, besides what they repeat. */
  readonly wishes: number;
  readonly weather: Weather;
  readonly store: StoreFaults;
  readonly bus: BusFaults;
  readonly wire: WireFaults;
  /** Kills at most, and the chance of one at each call of a port. */
  readonly kills: number;
  readonly killShare: number;
  /** A process stands still for a while, members of groups are taken for dead: so often each second. */
  readonly stalls: number;
  readonly expulsions: number;
  /** Rules by which the engines of nodes fail. */
  readonly engine: {
    readonly fail: number;
    readonly lose: number;
    readonly refuse: number;
    readonly slow: number;
  };
  /** Milliseconds by which wall clocks of processes differ, at most. */
  readonly skew: number;
  /** Wall clocks go on by minutes all at once: so often each second; hours, as one of so many. */
  readonly jumps: number;
  /**
   * Whoever is killed is killed while it takes something scarce, deadlines pass, and what it had sent
   * arrives when everybody has given it up.
   */
  readonly ghosts: boolean;
  /** Hosts are rolled to a release that reads later versions of events, then to one that writes them. */
  readonly rolled: boolean;
}

/** Every so-many-th seed's hosts are rolled. */
const ROLLED_EACH = 4;

/** Nothing goes wrong any more. */
export const CALM = {
  weather: { usual: 2, slow: 2, slowShare: 0 },
  store: { unknown: 0, unavailable: 0 },
  bus: { lostAnswer: 0, lostMessage: 0, again: 0, lostCommit: 0 },
  wire: { broken: 0 },
  engine: { fail: 0, lose: 0, refuse: 0, slow: 2 },
} as const;

/** The settings of a run; the same seed gives the same. */
export function simulationOf(seed: number): SimulationSettings {
  const draws = new Draws(seed, 'simulation');
  // Some runs are quiet in one way, so that what is rare in the others comes to its end, too.
  const rate = (most: number): number => (draws.chance(0.4) ? 0 : draws.unit() * most);
  return {
    seed,
    hosts: draws.chance(0.25) ? 1 : 2,
    relays: draws.chance(0.25) ? 1 : 2,
    wishes: draws.between(2, 4),
    weather: {
      usual: draws.between(1, 12),
      slow: draws.between(50, 800),
      slowShare: rate(0.03),
    },
    store: { unknown: rate(0.06), unavailable: rate(0.01) },
    bus: {
      lostAnswer: rate(0.08),
      lostMessage: rate(0.05),
      again: rate(0.1),
      lostCommit: rate(0.2),
    },
    wire: { broken: rate(0.05) },
    kills: draws.between(0, 5),
    killShare: draws.pick([0.002, 0.005, 0.01]) ?? 0,
    stalls: rate(0.1),
    expulsions: rate(0.15),
    engine: { fail: rate(0.2), lose: rate(0.2), refuse: rate(0.08), slow: draws.between(1, 60) },
    skew: draws.chance(0.5) ? 0 : draws.between(1, 3000),
    jumps: rate(0.15),
    ghosts: draws.chance(0.15),
    rolled: seed % ROLLED_EACH === 1,
  };
}
