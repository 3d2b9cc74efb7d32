/** The injected clock: the only source of time for everything but the disk and the network. */

export interface Clock {
  /** Milliseconds since 1970. May jump; order never comes from it. */
  now(): number;
  /** Resolves after so many milliseconds of this clock, or at once when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is moved: for tests, the demo and the simulation. */
export class ManualClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];
  readonly #listeners = new Set<(now: number) => void>();

  constructor(start: string | number) {
    this.#now = typeof start === 'number' ? start : Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const sleeper: Sleeper = {
        wakeAt: this.#now + milliseconds,
        wake: () => {
          signal?.removeEventListener('abort', abandon);
          resolve();
        },
      };
      const abandon = (): void => {
        this.#sleepers = this.#sleepers.filter((s) => s !== sleeper);
        resolve();
      };
      signal?.addEventListener('abort', abandon, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /** Moves to an instant (also backwards: clocks do jump) and wakes the sleepers that are due, in order. */
  moveTo(instant: string | number): void {
    this.#now = typeof instant === 'number' ? instant : Date.parse(instant);
    const due = this.#sleepers
      .filter((s) => s.wakeAt <= this.#now)
      .sort((a, b) => a.wakeAt - b.wakeAt);
    this.#sleepers = this.#sleepers.filter((s) => s.wakeAt > this.#now);
    for (const sleeper of due) sleeper.wake();
    for (const listener of this.#listeners) listener(this.#now);
  }

  /** Calls back after each move, for clocks elsewhere that go by this one; answers how to end it. */
  onMoved(listener: (now: number) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Moves forwards by so many milliseconds. */
  advance(milliseconds: number): void {
    this.moveTo(this.#now + milliseconds);
  }
}
