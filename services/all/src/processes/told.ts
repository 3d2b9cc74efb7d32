/** Tells processes how late it is whenever the clock of the set is moved, and knows when all have heard. */
import type { ManualClock } from '@bivouac/infra/runtime';

export class Told {
  readonly #stop: () => void;
  #heard: Promise<unknown> = Promise.resolve();

  /** @param tell tells all processes there are; rejects for none that has ended. */
  constructor(clock: ManualClock, tell: (now: number) => Promise<unknown>) {
    this.#stop = clock.onMoved((now) => {
      const before = this.#heard;
      this.#heard = Promise.all([before, tell(now)]);
      // Whoever waits for it hears why; nobody has to.
      this.#heard.catch(() => undefined);
    });
  }

  /** Resolves when every process has heard of every move until now. */
  async heard(): Promise<void> {
    await this.#heard;
  }

  end(): void {
    this.#stop();
  }
}
