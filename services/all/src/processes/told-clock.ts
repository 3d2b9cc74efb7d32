/**
 * The clock of a process of a set: it stands still until the set tells it what time it is. What is
 * only done now and then (checkpoints are written, what failed is tried again) does not stand still
 * with it, since other processes wait for it: it goes on by the machine's clock.
 */
import { type Clock, ManualClock, systemClock } from '@bivouac/infra/runtime';

/** So many times as fast as the machine's clock do pauses pass while the time stands still. */
const PACE = 5;

export class ToldClock implements Clock {
  readonly #told: ManualClock;

  constructor(now: number) {
    this.#told = new ManualClock(now);
  }

  now(): number {
    return this.#told.now();
  }

  /** It is so late now: wakes whoever sleeps until then. */
  tell(now: number): void {
    this.#told.moveTo(now);
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const over = new AbortController();
    const abandon = (): void => {
      over.abort();
    };
    if (signal?.aborted === true) return;
    signal?.addEventListener('abort', abandon, { once: true });
    await Promise.race([
      this.#told.sleep(milliseconds, over.signal),
      systemClock.sleep(milliseconds / PACE, over.signal),
    ]);
    over.abort();
    signal?.removeEventListener('abort', abandon);
  }

  /** The same time without the machine's: who sleeps wakes when it was told to be so late, not before. */
  still(): Clock {
    return {
      now: () => this.#told.now(),
      sleep: (milliseconds, signal) => this.#told.sleep(milliseconds, signal),
    };
  }
}
