/**
 * How many calls may be sent again. Each call adds a part of one, and some come back with time: a few
 * failures are made up for, an outage is not multiplied.
 */
import type { Clock } from '../runtime/clock.ts';

/** Most that can be saved up. */
const MOST = 50;
/** What each call adds. */
const PER_CALL = 0.2;
/** What each second adds. */
const PER_SECOND = 5;

export class RetryBudget {
  readonly #clock: Clock;
  #left = MOST;
  #at: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.now();
  }

  /** A call is made for the first time. */
  called(): void {
    this.#left = Math.min(MOST, this.#left + PER_CALL);
  }

  /** Whether one more may be sent again; if so it is counted. */
  spend(): boolean {
    const now = this.#clock.now();
    // A clock that was set back adds nothing.
    const seconds = Math.max(0, now - this.#at) / 1000;
    this.#at = now;
    this.#left = Math.min(MOST, this.#left + seconds * PER_SECOND);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
