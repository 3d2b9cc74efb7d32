/** What a seed stands for: how small the world is, what its nodes do wrong, and when it is killed. */
import { Draws } from '@bivouac/all/draws';

/** What a customer may have in all. */
export interface CustomerSettings {
  readonly name: string;
  readonly containers: number;
  readonly addresses: number;
  readonly memoryGiB: number;
  /** Whether it has an account below it that orders, too. */
  readonly below: boolean;
}

/** When a boot ends: after so many of what it says, or that far into its start. */
export type CrashPoint =
  | {
      readonly after: 'events' | 'replies' | 'orders';
      readonly count: number;
      /**
       * So many messages after the clock has gone a second on: what is written now and then (how far
       * reactions and read models have come) is written just before the kill.
       */
      readonly tick: number | null;
    }
  /** At the moment in which so many checkpoints of reactions were written, by its own hand. */
  | { readonly after: 'checkpoint'; readonly count: number }
  /** A share of what an undisturbed start takes. */
  | { readonly after: 'start'; readonly share: number };

export interface BootSettings {
  readonly nodeUrl: string;
  readonly crash: CrashPoint;
  /** Milliseconds by which the clock is further than it was, or behind: machines do that. */
  readonly downtime: number;
}

export interface RunSettings {
  readonly seed: number;
  readonly customers: readonly CustomerSettings[];
  readonly ranges: readonly { readonly cidr: string; readonly coolDownSeconds: number }[];
  /** Each ends with a kill. */
  readonly boots: readonly BootSettings[];
  /** Of the last start, which nothing disturbs. */
  readonly calmNodeUrl: string;
  /** Operations that may be under way at once. */
  readonly window: number;
  /** Whether the last process is killed too, or stops in order. */
  readonly killedAtLast: boolean;
}

/** The settings of a run; the same seed gives the same. */
export function settingsOf(seed: number): RunSettings {
  const draws = new Draws(seed, 'settings');
  const customers = Array.from({ length: draws.between(2, 4) }, (_, i) => ({
    name: `Customer ${i + 1}`,
    containers: draws.between(3, 8),
    addresses: draws.between(4, 14),
    memoryGiB: draws.between(3, 10),
    below: draws.chance(0.5),
  }));
  const ranges = Array.from({ length: draws.between(1, 2) }, (_, i) => ({
    cidr: `10.77.${i}.0/${draws.chance(0.5) ? 28 : 29}`,
    coolDownSeconds: draws.chance(0.3) ? draws.between(1, 90) : 0,
  }));
  const room = `nodes=${draws.between(1, 3)}&memory=${draws.between(3, 8)}GiB&disk=60GiB`;
  const crashes = draws.between(4, 6);
  return {
    seed,
    customers,
    ranges,
    boots: Array.from({ length: crashes }, (_, n) => ({
      nodeUrl: `fake:?${room}&seed=${seed * 10 + n}${troubles(draws)}`,
      crash: crashPoint(draws, n),
      downtime: downtime(draws),
    })),
    calmNodeUrl: `fake:?${room}`,
    window: draws.between(6, 14),
    killedAtLast: draws.chance(0.5),
  };
}

function crashPoint(draws: Draws, boot: number): CrashPoint {
  const start = draws.unit();
  // The very first start makes everything; later ones recover what a kill left.
  const kinds = { events: 5, replies: 2, orders: 2, checkpoint: 4, start: boot === 0 ? 2 : 3 };
  const after = draws.weighted(kinds);
  if (after === 'start') return { after, share: start };
  if (after === 'checkpoint') return { after, count: draws.between(1, 40) };
  const most = { events: 800, replies: 40, orders: 40 }[after];
  const tick = draws.chance(0.5) ? draws.between(0, 12) : null;
  return { after, count: draws.between(1, most), tick };
}

/** Mostly a quick restart; sometimes long enough for every deadline to pass; sometimes the clock is set back. */
function downtime(draws: Draws): number {
  const kind = draws.weighted({ quick: 6, long: 2, back: 2 });
  if (kind === 'quick') return 0;
  return kind === 'long' ? draws.between(20_000, 900_000) : -draws.between(500, 5000);
}

function troubles(draws: Draws): string {
  if (draws.chance(0.25)) return '&slow=create:20,start:20';
  const rate = (most: number): string => (draws.unit() * most).toFixed(3);
  return [
    `&slow=create:${draws.between(1, 60)},start:${draws.between(1, 40)},destroy:${draws.between(1, 40)}`,
    `&fail=${rate(0.25)}`,
    `&lose=${rate(0.2)}`,
    draws.chance(0.6) ? `&refuse=${rate(0.12)}` : '',
    // A fake node that crashed stays away until the process is started again.
    draws.chance(0.5) ? `&crash-before=${rate(0.06)}&crash-after=${rate(0.06)}` : '',
  ].join('');
}
