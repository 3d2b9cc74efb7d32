/**
 * Whether an installation that says nothing waits for time alone. A slow machine or disk is silent, too:
 * were time moved on for it, deadlines would pass of what it has not come to, attempt after attempt, and its
 * operations would wait for staff although nothing is wrong. So it is asked for signs of life.
 */
import type { FromInstallation } from './messages.ts';

/** Signs of life without anything said beside them, after which it is time that it waits for. */
const SIGNS = 2;

export class SignsOfLife {
  /** Asked for so far; each has its number. */
  #asked = 0;
  /** Signs since something else was said; undefined: none is asked for. */
  #signs: number | undefined;

  /** It has been silent for a while. Answers the number of the sign to ask for; undefined: one is awaited. */
  silent(): number | undefined {
    return this.#signs === undefined ? this.#ask(0) : undefined;
  }

  /**
   * It has said something. Answers the number of the next sign to ask for, or `waits`: it waits for time;
   * undefined: neither is known yet.
   */
  heard(message: FromInstallation): number | 'waits' | undefined {
    if (message.type !== 'probed') {
      this.#signs = undefined;
      return undefined;
    }
    // Something was said after it was asked for.
    if (this.#signs === undefined || message.probe !== this.#asked) return undefined;
    if (this.#signs + 1 < SIGNS) return this.#ask(this.#signs + 1);
    this.#signs = undefined;
    return 'waits';
  }

  #ask(given: number): number {
    this.#signs = given;
    this.#asked += 1;
    return this.#asked;
  }
}
