/** Secrets (a root password): encrypted at rest, outside the log; events hold references only. */
export interface Secrets {
  /** Stores a secret under a reference chosen by the caller; the same reference twice keeps the first. */
  put(reference: string, clear: string): Promise<void>;
  /** The secret, or undefined where it does not exist or was destroyed. */
  get(reference: string): Promise<string | undefined>;
  destroy(reference: string): Promise<void>;
  close(): Promise<void>;
}
