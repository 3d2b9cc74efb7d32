/** A process's worth of the system: what all of them are started with and can be asked. */
import type { Clock, Config, Logger } from '../runtime/index.ts';

export interface PartOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once when something that must run has stopped: the process should end. */
  readonly onFailure: (error: unknown) => void;
}

/** A part, running. */
export interface Part {
  /** Where it listens, e.g. `http://127.0.0.1:4201`. */
  readonly url: string;
  /** Where its metrics are, e.g. `http://127.0.0.1:14201`; undefined where it serves none. */
  readonly metricsUrl?: string | undefined;
  /** Whether calls should be sent here. */
  ready(): boolean;
  /**
   * Orderly: nothing more is taken, what is in hand is finished up to SHUTDOWN_MS for each of what it
   * consists of. Safe to call twice.
   */
  stop(): Promise<void>;
}
