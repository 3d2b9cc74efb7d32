/** What a reaction is, and what staff, timers and tests can ask of a service's reactions. */
import type { EventRegistry, Position, Recorded, Refusal } from '@bivouac/events/language';

import type { Bus } from '../../bus/port.ts';
import type { EventStore } from '../../event-store/port.ts';
import type { Clock } from '../clock.ts';
import type { Lag } from '../follow/lag.ts';
import type { Metrics } from '../metrics/port.ts';

/** "When this event, then that": one handler of a service. */
export interface Reaction {
  /** Unique within the service and stable: it is part of command keys and named by parked homes. */
  readonly name: string;
  /** Types it handles; each must be in the registry. */
  readonly types: ReadonlySet<string>;
  /**
   * Events of a home with the same target are handled one after the other, in log order. Pure.
   * undefined: this event is none of its business, and it is not run for it.
   */
  target(event: Recorded): string | undefined;
  /** At least once per event: must be idempotent by the event's id. */
  react(event: Recorded): Promise<void>;
  /** A reaction added later: events at or below fire nothing. */
  readonly installedAt?: Position | undefined;
}

/** Why a home waits for staff. */
export type ParkingReason = 'unknown-version' | 'invalid-body' | 'handler-failed';

/** A home whose events wait, from one event on; all others flow. */
export interface ParkedHome {
  readonly homeId: string;
  /** Events of the home at or after this position wait. */
  readonly from: Position;
  /** The event that could not be handled, and its type. */
  readonly eventId: string;
  readonly type: string;
  /** The reaction that failed; null where the event could not be read at all. */
  readonly reaction: string | null;
  readonly reason: ParkingReason;
  /** When it was parked, RFC 3339 UTC. */
  readonly since: string;
}

/** What replaying a parked home came to. */
export type ReplayOutcome =
  /** Everything that waited was handled; the home flows again. */
  | { readonly outcome: 'flowing'; readonly handled: number }
  /** It failed again, at this event or a later one. */
  | { readonly outcome: 'parked'; readonly handled: number; readonly at: ParkedHome }
  /** It is not done here: `NOT_PARKED`, `OTHER_EVENT`, `REPLAY_UNDER_WAY`, `MOVED` or `STOPPING`. */
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

/** Counters since the start, and two gauges. */
export interface ReactionMetrics {
  /** Reactions that have run to their end. */
  readonly handled: number;
  /** Failures that count towards parking. */
  readonly failures: number;
  /** Failures tried again with pauses. */
  readonly transientFailures: number;
  /** Times the bus had lost something that was then read from the store. */
  readonly gapsRepaired: number;
  /** Events found that way. */
  readonly eventsRecovered: number;
  /** Checkpoints written. */
  readonly checkpoints: number;
  /** Times a partition began anew because another instance had written its part of the checkpoint. */
  readonly overtaken: number;
  /** Events accepted and not yet done. */
  readonly unfinished: number;
  /** Homes parked on partitions that are here. */
  readonly parkedHomes: number;
}

/** As much of a pino logger as is used here. */
export interface ReactionLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ReactionsOptions {
  /** Name of the service: its consumer group, and its checkpoint stream `checkpoint-<service>`. */
  readonly service: string;
  readonly reactions: readonly Reaction[];
  readonly bus: Bus;
  readonly store: EventStore;
  readonly registry: EventRegistry;
  readonly clock: Clock;
  readonly logger: ReactionLogger;
  /** Called once: the reactions have stopped by themselves and the process should end. */
  readonly onFailure: (error: unknown) => void;
  /** Reactions running at once in the service; 128 by default. One that pauses does not count. */
  readonly concurrency?: number;
  /**
   * Where a service without a checkpoint begins: after this position, or after the log's present
   * head. Absent: at the log's start.
   */
  readonly installAt?: 'head' | { readonly after: Position };
  /** Tenant in the envelope of checkpoints: the provider, where there is one. */
  readonly tenantId?: string;
  /** From 0 to below 1: spreads pauses, so that what failed together does not retry together. */
  readonly random?: () => number;
  readonly metrics?: Metrics;
}

/** The running reactions of one service. */
export interface Reactions {
  /**
   * Takes no more, lets running handlers finish up to the deadline, writes the last checkpoint. What
   * did not finish comes again at the next start. Safe to call twice.
   */
  stop(deadlineMilliseconds: number): Promise<void>;
  /** Partitions that are this instance's now, in order: all 64, unless several instances share them. */
  assigned(): readonly number[];
  /** Whether a home's partition is this instance's now. */
  holds(homeId: string): boolean;
  /**
   * Calls back whenever a partition has come here, has begun anew, or was taken away; answers how to
   * end that.
   */
  onAssigned(listener: (partition: number) => void): () => void;
  /** Calls back whenever a home that is here was parked; answers how to end that. */
  onParked(listener: (homeId: string) => void): () => void;
  /**
   * Every event of the home's partition at or below is done; null: nothing yet, or the partition is
   * another instance's. Of a parked home: what lies before the event it waits at.
   */
  consumed(homeId: string): Position | null;
  /**
   * Resolves when {@link consumed} has reached the position, or the instance that has the partition has
   * written down as much; the signal gives the wait up.
   */
  whenConsumed(homeId: string, position: Position, signal?: AbortSignal): Promise<void>;
  /** The same, but of a parked home at once: what waits there waits for staff. */
  whenPassed(homeId: string, position: Position, signal?: AbortSignal): Promise<void>;
  /**
   * Resolves when everything up to the store's head as of the call that lies on partitions held here was
   * consumed and nothing is under way; holding none, it waits for one. Parked homes count as consumed.
   * For tests and the demo: it reads the log's new part.
   */
  idle(): Promise<void>;
  /** Parked homes of the partitions held here, by name. */
  parked(): readonly ParkedHome[];
  /** Handles what waits of a parked home, in log order, one event at a time. */
  replayParked(homeId: string): Promise<ReplayOutcome>;
  /** Leaves out the event a home is parked at, which the caller has to name, and replays the rest. */
  skipParked(homeId: string, eventId: string): Promise<ReplayOutcome>;
  readonly metrics: ReactionMetrics;
  /**
   * How far behind the log each reaction is on the partitions held here, by name. Reads the log after the
   * lowest mark; throws what the store throws.
   */
  lags(): Promise<ReadonlyMap<string, Lag>>;
}
