/**
 * The bus: carries the log to reactions, in order within a home. Shaped for Kafka (64 partitions by
 * home, `prev` on every message, markers, consumer groups); the embedded adapter follows the local
 * log. At least once: a consumer drops what it has seen.
 */
import type { Position, StoredEvent } from '@bivouac/events/language';

/** Fixed for life: a home's partition never changes. */
export const PARTITIONS = 64;

export type BusMessage =
  | {
      readonly kind: 'event';
      readonly event: StoredEvent;
      /** Position of the message before it on its partition; null for the first. */
      readonly prev: Position | null;
      /** The span in which a relay published it, where that was traced. */
      readonly traceparent?: string | undefined;
    }
  /** At least once a second per partition: a loss is found even if nothing follows. */
  | {
      readonly kind: 'marker';
      /** Position of the partition's last event message so far. */
      readonly prev: Position | null;
      /** The log's head when it was made: nothing of this partition is at or below it but what came before. */
      readonly head: Position | null;
    };

/** How far a group has come on one partition: everything at or below is done. null = nothing yet. */
export type Mark = Position | null;

export interface ConsumerOptions {
  /** Consumer group, one per service. */
  readonly group: string;
  /** Where to begin, by partition; called when the partition is assigned. */
  readonly from: (partition: number) => Promise<Mark>;
  /**
   * Messages of one partition in order, one batch at a time per partition; the next comes when the
   * promise resolves. Rejecting stops the consumer (`failed`).
   */
  readonly deliver: (partition: number, messages: readonly BusMessage[]) => Promise<void>;
  /**
   * Everything at or below is remembered durably: a bus that keeps offsets commits up to there. Absent:
   * what was delivered is done.
   */
  readonly kept?: (partition: number) => Mark;
  /** A partition was taken away: forget its state. */
  readonly revoked?: (partition: number) => void;
  /**
   * The consumer is being stopped and nothing more is delivered: what is done is written down before the
   * partitions go to others. A bus whose partitions go to nobody need not say so. Waited for up to the
   * deadline.
   */
  readonly leaving?: () => Promise<void>;
  /** The consumer has died; readiness goes off and the process ends. */
  readonly failed: (error: unknown) => void;
}

export interface Consumer {
  /**
   * Somebody waits until the partition is known to have come to a position, which may be of another
   * partition: the marker that says so comes as soon as one can, not only with the next round. A hint:
   * a bus that cannot may leave it to the round.
   */
  ask(partition: number, position: Position): void;
  /**
   * Resolves when the consumer is in its group and has begun every partition that it was given: a moment
   * before, there may be some of them here and the others on their way. Absent: it always is.
   */
  settled?(): Promise<void>;
  /** Stops fetching, waits for deliveries under way up to the deadline. */
  stop(deadlineMilliseconds: number): Promise<void>;
}

export interface Bus {
  consume(options: ConsumerOptions): Promise<Consumer>;
  close(): Promise<void>;
}

/** The partition of a home: the first 4 bytes of its SHA-256, modulo 64. */
export type Partitioner = (homeId: string) => number;
