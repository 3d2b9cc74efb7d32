/**
 * How many calls may be sent again. Each call adds a part of one, and some come back with time: a few
 * failures are made up for, an outage is not multiplied.
 */
import type { Clock } from '../runtime/clock.ts';

/** What one repeat costs; in thousandths, so that sums are exact. */
const COST = 1_000;
/** Most that can be saved up: fifty repeats. */
const MOST = 50 * COST;
/** What each call adds: a fifth of a repeat. */
const PER_CALL = COST / 5;
/** What each millisecond adds: five repeats a second. */
const PER_MS = 5;

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
    this.#left = Math.min(MOST, this.#left + Math.max(0, now - this.#at) * PER_MS);
    this.#at = now;
    if (this.#left < COST) return false;
    this.#left -= COST;
    return true;
  }
}
