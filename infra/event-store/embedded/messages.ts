/**
 * What the main thread and the writer's worker say to each other.
 */

/** Where tests reach into the writer: called in the worker, synchronously; may block or throw. */
export interface WriterFaults {
  /** After the rows were written to the transaction, before it is made durable. */
  readonly beforeCommit?: () => void;
  /** After the commit returned, before anybody is told. */
  readonly afterCommit?: () => void;
  /** Before the head record is written. */
  readonly beforeRecord?: () => void;
}

/** A module (plain JavaScript) whose default export makes the faults from `data`. */
export interface FaultsModule {
  readonly module: string;
  readonly data?: unknown;
}

/** What the worker is started with. */
export interface WriterData {
  readonly folder: string;
  readonly newEpoch: string;
  readonly faults?: FaultsModule | undefined;
  /** Counts the messages sent to the writer, after each is sent. */
  readonly handedOver: Int32Array<SharedArrayBuffer>;
}

/** Appends handed over at once. Lists are parallel; each append has `counts[i]` frames. */
export interface AppendMessage {
  readonly kind: 'append';
  readonly streams: readonly string[];
  readonly homes: readonly string[];
  readonly expected: readonly number[];
  readonly counts: readonly number[];
  /** The frames of all, end to end. */
  readonly frames: ArrayBuffer;
}

export type ToWriter = AppendMessage | { readonly kind: 'close' };

export type FailureCode = 'corrupt' | 'store-in-use' | 'unavailable';

export type FromWriter =
  | { readonly kind: 'ready'; readonly epoch: string; readonly position: number }
  /** The log could not be opened. */
  | { readonly kind: 'refused'; readonly code: FailureCode; readonly message: string }
  /**
   * How the oldest unanswered appends ended, three numbers each: outcome, revision, position. The
   * outcome is 0 written (now or before), 1 conflict, 2 overlap; with these two the revision is the
   * stream's head, -1 for none.
   */
  | { readonly kind: 'outcomes'; readonly outcomes: readonly number[]; readonly head: number }
  /** The writer is done for: the oldest `unknown` appends may be written, the others are not. */
  | {
      readonly kind: 'failed';
      readonly code: FailureCode;
      readonly message: string;
      readonly unknown: number;
    }
  | { readonly kind: 'closed' };
