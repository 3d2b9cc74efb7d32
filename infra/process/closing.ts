/** What a process has opened and has to close, the newest first. */
export class Closing {
  readonly #steps: (() => Promise<void> | void)[] = [];

  add(step: () => Promise<void> | void): void {
    this.#steps.push(step);
  }

  /** Closes everything, each once; what fails to close does not keep the others open. */
  async close(): Promise<void> {
    const problems: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        problems.push(error);
      }
    }
    if (problems.length > 0)
      throw new AggregateError(problems, 'not everything could be closed in order');
  }

  /** Runs what opens; where that fails, what stands already is closed. */
  async opening<T>(open: () => Promise<T>): Promise<T> {
    try {
      return await open();
    } catch (error) {
      // What stopped the start is what the reader has to know.
      await this.close().catch(() => undefined);
      throw error;
    }
  }
}
