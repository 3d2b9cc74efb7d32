/**
 * The event store: an append-only log of streams. Whoever decides commands or follows events uses
 * this port; its adapters are memory, embedded and EventStoreDB, all under the one suite in
 * `contract.ts`.
 *
 * There is no delete: what was appended stays.
 */
import type { NewEvent, Position, StoredEvent } from '@bivouac/events/language';

/** The revision the stream's last event must have for an append to be taken. Never "any". */
export type ExpectedRevision = bigint | 'no-stream';

/** What an append answers, the first time and every identical time after. */
export interface AppendResult {
  /** Revision of the last event of the append. */
  readonly revision: bigint;
  /** Position of the last event of the append. */
  readonly position: Position;
}

export type Direction = 'forwards' | 'backwards';

/** One page of a stream. A missing stream is not an empty one: a stream that exists has a head. */
export type StreamPage =
  | { readonly exists: false }
  | {
      readonly exists: true;
      /** Revision of the stream's last event when the page was read. */
      readonly head: bigint;
      readonly events: readonly StoredEvent[];
      /** No event lies beyond this page in the direction read. */
      readonly end: boolean;
    };

/**
 * One page of the log or of a home. It may be shorter than asked for; only `end` says that nothing
 * follows.
 */
export interface LogPage {
  readonly events: readonly StoredEvent[];
  readonly end: boolean;
}

/**
 * Where a follower stands: the event it has seen last. Resuming compares the id of the event at that
 * position, so that a log which is not the one followed (a restored backup, even one written past
 * the checkpoint since) is noticed.
 */
export interface Checkpoint {
  readonly epoch: string;
  readonly position: Position;
  readonly eventId: string;
}

/** What a subscription delivers, in log order. */
export type SubscriptionMessage =
  | { readonly kind: 'events'; readonly events: readonly StoredEvent[] }
  /**
   * Everything up to the head, as it was when the signal was made, has been delivered. Comes each
   * time the follower reaches the head, also of an empty log.
   */
  | { readonly kind: 'caught-up'; readonly head: Position | null };

export interface SubscribeOptions {
  /** Exclusive. Absent: from the beginning. */
  readonly after?: Checkpoint;
  /** Largest number of events in one message. */
  readonly batch?: number;
  /** Ends the subscription: the iteration returns, pending reads are abandoned. */
  readonly signal?: AbortSignal;
}

/** The end of the log. `null`: the log is empty. */
export interface LogHead {
  readonly epoch: string;
  readonly position: Position | null;
}

/**
 * Where a read takes a `limit` and none is given, a page holds at most 1,000 events. Bodies (`data`)
 * may be views of the page that was read: parse them, or copy what is kept for long.
 */
export interface EventStore {
  /**
   * Appends all events or none. Resolves only when they are durable. The identical append sent again
   * (same stream, same expected revision, same ids) answers as the first time, at any age; so does a
   * part of an earlier append, sent again at the revision where that part stands. Some ids known
   * there and others not is `invalid`, none known a `conflict`. Ids protect this alone: the same ids
   * at another revision or in another stream are another append.
   *
   * @throws EventStoreError `conflict` (with the actual revision), `too-large`, `invalid`,
   * `outcome-unknown` (the same append may be sent again), `unavailable` (nothing was written),
   * `deleted`, `corrupt`.
   */
  append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult>;

  /**
   * Reads one stream from the leader, so that what was acknowledged to anyone before the call is in
   * the answer. `from` is inclusive; absent, it is the start (forwards) or the head (backwards).
   */
  readStream(
    stream: string,
    options?: {
      readonly from?: bigint;
      readonly direction?: Direction;
      readonly limit?: number;
    },
  ): Promise<StreamPage>;

  /** Reads the log. `after` is exclusive in the direction read. */
  readAll(options?: {
    readonly after?: Position;
    readonly direction?: Direction;
    readonly limit?: number;
  }): Promise<LogPage>;

  /** Reads the events of one home in log order. `after` is exclusive, `upTo` inclusive. */
  readHome(
    home: string,
    options?: { readonly after?: Position; readonly upTo?: Position; readonly limit?: number },
  ): Promise<LogPage>;

  /**
   * Follows the log: every event after the checkpoint, once, in order, then live, for ever.
   *
   * @throws EventStoreError (from the iteration) `checkpoint-mismatch` where the event at the
   * checkpoint is another or missing, `corrupt` where the log is damaged, `closed`.
   */
  subscribe(options?: SubscribeOptions): AsyncIterable<SubscriptionMessage>;

  head(): Promise<LogHead>;

  /** Lets appends under way finish, records the head, frees the lock. Safe to call twice. */
  close(): Promise<void>;
}

export type EventStoreErrorCode =
  | 'conflict'
  | 'outcome-unknown'
  | 'unavailable'
  | 'deleted'
  | 'too-large'
  | 'invalid'
  | 'corrupt'
  | 'checkpoint-mismatch'
  | 'store-in-use'
  | 'closed';

/** Every error an adapter throws. The code is stable; the message tells the reader what to do. */
export class EventStoreError extends Error {
  readonly code: EventStoreErrorCode;
  /** With `conflict`: the stream's actual head. */
  readonly actual: ExpectedRevision | undefined;

  constructor(
    code: EventStoreErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly actual?: ExpectedRevision },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'EventStoreError';
    this.code = code;
    this.actual = options?.actual;
  }
}
