/**
 * Hosts are rolled now and then, on or back. A later version of events is written only once all hosts read
 * it, and from then on none is rolled back beyond that.
 */
import type { Draws } from '@bivouac/all/draws';

import type { Release } from './releases.ts';
import type { Scheduler } from './scheduler.ts';
import type { System } from './system.ts';

export interface RolloutOptions {
  readonly scheduler: Scheduler;
  readonly system: System;
  readonly draws: Draws;
  /** Nobody is rolled any more. */
  readonly over: () => boolean;
}

export class Rollout {
  /** Hosts that were rolled. */
  rolls = 0;
  readonly #options: RolloutOptions;
  /** Somebody was told to write later versions. */
  #writes = false;

  constructor(options: RolloutOptions) {
    this.#options = options;
  }

  begin(): void {
    const { scheduler, draws, over } = this.#options;
    scheduler.after(draws.between(100, 2500), undefined, 'time to roll', () => {
      if (over()) return;
      this.begin();
      this.#roll();
    });
  }

  #roll(): void {
    const { system, draws } = this.#options;
    const { installed, allRead } = system;
    const number = draws.between(0, installed.length - 1);
    const may: Release[] = ['reads'];
    if (allRead) may.push('writes', 'writes');
    if (!this.#writes) may.push('before');
    const to = draws.pick(may.filter((release) => release !== installed[number]));
    if (to === undefined) return;
    this.rolls += 1;
    this.#writes ||= to === 'writes';
    system.roll(number, to, draws.chance(0.5));
  }
}
