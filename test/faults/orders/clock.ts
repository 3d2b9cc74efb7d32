/** Time that passes and can be moved on at once: deadlines come without anybody waiting for them. */
import { type Clock, systemClock } from '@bivouac/infra/runtime';

export class MovableClock implements Clock {
  #ahead: number;
  readonly #asleep = new Set<() => void>();

  /** @param ahead how far before the machine's clock it is, in milliseconds. */
  constructor(ahead: number) {
    this.#ahead = ahead;
  }

  now(): number {
    return Date.now() + this.#ahead;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const wakeAt = this.now() + milliseconds;
    do {
      if (signal?.aborted === true) return;
      await this.#nap(wakeAt - this.now(), signal);
    } while (this.now() < wakeAt);
  }

  /** Moves it on and wakes whoever sleeps, to look again. */
  move(milliseconds: number): void {
    this.#ahead += milliseconds;
    for (const wake of [...this.#asleep]) wake();
  }

  #nap(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const over = new AbortController();
      const wake = (): void => {
        this.#asleep.delete(wake);
        signal?.removeEventListener('abort', wake);
        over.abort();
        resolve();
      };
      this.#asleep.add(wake);
      signal?.addEventListener('abort', wake, { once: true });
      void systemClock.sleep(Math.max(0, milliseconds), over.signal).then(wake);
    });
  }
}
