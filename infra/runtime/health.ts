/**
 * Whether everything of a process that must run does: one place that stores, buses, followers and
 * reactions tell of their end. Readiness goes off with the first of them, before the process ends.
 */
import type { Logger } from './logging.ts';

export interface HealthOptions {
  readonly logger: Pick<Logger, 'error'>;
  /** Something that must run has stopped: the process should end. Called once. */
  readonly onFailure: (error: unknown) => void;
}

export class Health {
  readonly #options: HealthOptions;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** Nothing has failed. */
  get well(): boolean {
    return this.#failure === undefined;
  }

  /** What has stopped first, where something has. */
  get cause(): unknown {
    return this.#failure?.error;
  }

  /** Something that must run has stopped; what follows from it is not told again. */
  readonly fail = (error: unknown): void => {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#options.logger.error(
      { error: error instanceof Error ? error.message : String(error) },
      'something that must run has stopped: the process is not ready any more, and ends',
    );
    this.#options.onFailure(error);
  };
}
