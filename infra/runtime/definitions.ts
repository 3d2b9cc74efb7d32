/**
 * What a service is made of, as its `service.ts` lists it for the host. The host (this folder) runs
 * these; services contain no host code.
 */
import type {
  CommandContract,
  CommandReply,
  Decided,
  Decision,
  DecideContext,
  EventDefinition,
  EventOf,
  Position,
  Principal,
  QueryContract,
  Recorded,
  Refusal,
  ServiceCaller,
  StoredEvent,
} from '@bivouac/events/language';
import type { AskInput, AskName, AskRef, AskResult, Outcome } from '@bivouac/events/operations';
import type { z } from 'zod';

import type { Blobs } from '../blobs/port.ts';
import type { EventStore } from '../event-store/port.ts';
import type { Keys } from '../keys/port.ts';
import type { Secrets } from '../secrets/port.ts';
import type { Table, View, WritableView } from '../views/port.ts';
import type { Metrics } from './metrics/port.ts';

// --- aggregates -------------------------------------------------------------------------------

/** A kind of stream, `<category>-<id>`, and how its events fold into a state. */
export interface Aggregate<S = unknown> {
  readonly category: string;
  readonly events: readonly EventDefinition[];
  /**
   * Version of `evolve`, 1 by default: raised when it makes another state of the same events, so that
   * snapshots of the states it made before are dropped.
   */
  readonly version?: number;
  initial(): S;
  /**
   * Folds one event. May change and return the state it is given: the host alone owns it. Events of
   * the stream whose type is not in `events` are not handed in.
   */
  evolve(state: S, event: Recorded): S;
}

/**
 * Declares an aggregate; the event union of `evolve` is typed by `events`. A state is plain data:
 * numbers, bigints, strings, arrays, objects, maps, sets, typed arrays.
 */
export function aggregate<S, const E extends readonly EventDefinition[]>(spec: {
  readonly category: string;
  readonly events: E;
  readonly version?: number;
  readonly initial: () => S;
  readonly evolve: (state: S, event: EventOf<E[number]>) => S;
}): Aggregate<S> {
  // As it was given: the text of a fold tells it from the one before it was edited.
  return spec;
}

// --- commands ---------------------------------------------------------------------------------

/** What a handler may use before deciding: randomness, sealing, blobs. Effects here are idempotent. */
export interface EdgePorts {
  readonly keys: Keys;
  readonly secrets: Secrets;
  readonly blobs: Blobs;
  readonly random: (bytes: number) => Uint8Array;
}

/** Whose a new stream is. `platform`: its home is the stream itself, its tenant the provider. */
export type Owner = 'platform' | { readonly tenantId: string; readonly homeId: string };

export interface CommandHandler {
  readonly contract: CommandContract;
  readonly aggregate: Aggregate;
  readonly spec: CommandSpec<z.ZodType, z.ZodType, unknown, unknown>;
}

export interface CommandSpec<I extends z.ZodType, R extends z.ZodType, S, P> {
  /**
   * The stream to decide on. For a creation, `newId(kind)` derives the id from the command's key,
   * so that a retry makes the same thing.
   */
  readonly stream: (
    input: z.output<I>,
    call: { readonly principal: Principal; readonly commandKey: string },
  ) => string;
  /**
   * For handlers that create streams: whose the stream is. Existing streams keep their owner.
   * `stream` is what {@link CommandSpec.stream} said: a new tree is its own home.
   */
  readonly owner?: (input: z.output<I>, principal: Principal, stream: string) => Owner;
  /**
   * The tenant a command is about, where its stream holds things of several (a tree): the wall is
   * then around that tenant, not around the stream's owner. The decision must still find it there.
   */
  readonly about?: (input: z.output<I>) => string;
  /**
   * The person the input is about, where it holds personal data: the input's hash is then made
   * under that person's key, so that erasing the person also makes the hash say nothing. Undefined
   * for an input that has none.
   */
  readonly person?: (
    input: z.output<I>,
    call: { readonly principal: Principal; readonly commandKey: string },
  ) => string | undefined;
  /**
   * At the edge, before deciding: seal personal input, make a secret. `reveal` is added to the first
   * reply only and never stored; a repeat answers null in its place. `load` reads another of the
   * service's own aggregates at its present end, and `last` the newest event of any stream, for facts
   * to be copied into the decision (does the tenant exist?); what must not change meanwhile belongs into
   * the stream decided on.
   */
  readonly prepare?: (
    input: z.output<I>,
    ports: EdgePorts,
    call: {
      readonly principal: Principal;
      readonly commandKey: string;
      readonly load: LoadAggregate;
      /** The last event of any stream at its present end, for what a decision is refused by. */
      readonly last: (stream: string) => Promise<Recorded | undefined>;
    },
  ) => Promise<{ readonly input: P; readonly reveal?: Readonly<Record<string, string>> }>;
  /** Pure. `input` is what `prepare` made of it, else the parsed input. */
  readonly decide: (state: S, input: P, context: DecideContext) => Decision;
  /**
   * The result, from the command's own events alone. A no-op has none: an id that was derived from
   * the command's key is derived again.
   */
  readonly result: (
    events: readonly Recorded[],
    input: z.output<I>,
    stream: string,
    commandKey: string,
  ) => z.input<R>;
}

/** Binds a contract to its aggregate and decision. */
export function handler<I extends z.ZodType, R extends z.ZodType, S, P = z.output<I>>(
  contract: CommandContract<I, R>,
  aggregate: Aggregate<S>,
  spec: CommandSpec<I, R, S, P>,
): CommandHandler {
  return { contract, aggregate, spec } as unknown as CommandHandler;
}

// --- projections and queries --------------------------------------------------------------------

/** Events to rows of the service's read model. Pure: no clock, no iteration order in rows. */
export interface Projection {
  readonly name: string;
  readonly tables: readonly Table[];
  readonly handlers: ReadonlyMap<string, (event: Recorded, view: WritableView) => void>;
  /**
   * Every published event as it is stored, whatever its type and whether this release can read it: for an index
   * of the log itself. Nothing is decoded for it.
   */
  readonly stored?: ApplyStored;
}

/**
 * Events in log order, so many as come at once: of the same log the same rows must come out however
 * it was cut into pieces. Its tables are its own.
 */
export type ApplyStored = (events: readonly StoredEvent[], view: WritableView) => void;

export interface ProjectionHandler {
  readonly definition: EventDefinition;
  readonly apply: (event: Recorded, view: WritableView) => void;
}

/** One event type of a projection. */
export function on<E extends EventDefinition>(
  definition: E,
  apply: (event: EventOf<E>, view: WritableView) => void,
): ProjectionHandler {
  return { definition, apply: (event, view) => apply(event as EventOf<E>, view) };
}

export function projection(spec: {
  readonly name: string;
  // A row type is the projection's own business; the host moves rows without reading them.
  readonly tables: readonly { readonly name: string }[];
  readonly on?: readonly ProjectionHandler[];
  readonly stored?: ApplyStored;
}): Projection {
  const { name, tables, on: handled = [], stored } = spec;
  return {
    name,
    tables: tables as readonly Table[],
    handlers: new Map(handled.map((h) => [h.definition.type, h.apply])),
    ...(stored !== undefined && { stored }),
  };
}

export interface QueryContext {
  readonly principal: Principal;
  /** Whether the caller may see a thing of this tenant. Deny what it says no to, as if missing. */
  readonly reaches: (tenantId: string) => boolean;
  readonly ports: EdgePorts;
  /** Reads a stream's events for histories, decoded; the caller filters by audience. */
  readonly history: (
    stream: string,
    page: {
      readonly after?: string | undefined;
      readonly before?: string | undefined;
      readonly limit: number;
      readonly reverse?: boolean;
    },
  ) => Promise<{ readonly events: readonly Recorded[]; readonly end: boolean }>;
  /** The log as it is stored, for the audit trail; the caller filters by reach and by audience. */
  readonly log: LogReading;
  /** The present time, for what depends on it (expiry of a key). */
  readonly now: () => string;
}

/** Reading what is stored. */
export interface LogReading extends Pick<
  EventStore,
  'head' | 'readAll' | 'readHome' | 'readStream'
> {
  /** The event in its newest version; undefined where this release cannot read it. */
  decode(event: StoredEvent): Recorded | undefined;
}

export interface QueryHandler {
  readonly contract: QueryContract;
  readonly run: (view: View, args: unknown, context: QueryContext) => unknown;
}

/** Binds a query contract; answers a result or a refusal made with `refuse`. May be async. */
export function queryHandler<I extends z.ZodType, R extends z.ZodType>(
  contract: QueryContract<I, R>,
  run: (
    view: View,
    args: z.output<I>,
    context: QueryContext,
  ) => QueryAnswer<z.input<R>> | Promise<QueryAnswer<z.input<R>>>,
): QueryHandler {
  return { contract, run: run as QueryHandler['run'] };
}

export type QueryAnswer<R> = R | { readonly kind: 'refused'; readonly refusal: Refusal };

// --- reactions ----------------------------------------------------------------------------------

/** What a policy can do. Nothing here reads a read model, except `candidates`. */
export interface PolicyContext {
  /** The service's own principal; reaches every tenant. */
  readonly principal: Principal;
  /**
   * Runs a command of this service. Its key is (policy, event id, n): `n` must tell apart the
   * commands that one reaction sends, and be the same when the event comes again.
   */
  readonly execute: <I extends z.ZodType, R extends z.ZodType>(
    contract: CommandContract<I, R>,
    input: z.input<I>,
    n?: string,
  ) => Promise<CommandReply<z.output<R>>>;
  /** An own aggregate's state at its present end (or as of a revision), for a decision. Read only. */
  readonly load: LoadAggregate;
  /**
   * One fact of an own aggregate at its present end, without copying the state: for large ones.
   * `select` runs at once and must neither keep nor change what it is given.
   */
  readonly read: <S, T>(
    aggregate: Aggregate<S>,
    stream: string,
    select: (state: S) => T,
  ) => Promise<T>;
  /**
   * Candidates for a decision that the owner's stream will make: rows of the own read model, with
   * the position they are of. Waits (bounded) until the view has applied the event reacted to.
   */
  readonly candidates: <T>(
    read: (view: View) => T,
  ) => Promise<{ readonly value: T; readonly position: Position | null }>;
  /** Answers an ask, once. `lost`: another answer stands (a time-out); undo what was done. */
  readonly answer: (ref: AskRef, ask: AskName, answer: Answer) => Promise<'recorded' | 'lost'>;
  /**
   * What an ask was answered; undefined: nothing yet. For a policy that answers asks by itself: they come
   * again after a crash, and what was refused then may be possible now, but nobody asks for it any more.
   */
  readonly answered: (ref: AskRef) => Promise<Outcome | undefined>;
  readonly ports: EdgePorts;
  readonly now: () => string;
}

export type LoadAggregate = <S>(
  aggregate: Aggregate<S>,
  stream: string,
  upTo?: bigint,
) => Promise<Loaded<S>>;

export interface Loaded<S> {
  readonly exists: boolean;
  readonly state: S;
  readonly revision: bigint | undefined;
  readonly tenantId: string | undefined;
  readonly homeId: string | undefined;
}

export type Answer =
  | { readonly outcome: 'done'; readonly result: Readonly<Record<string, unknown>> }
  | { readonly outcome: 'refused' | 'failed'; readonly refusal: Refusal };

/** "When this event (of any context), then that command of mine." */
export interface Policy {
  readonly name: string;
  readonly definitions: readonly EventDefinition[];
  /** Handlers for one target run in order; other targets of the home at once. undefined: not run. */
  readonly target: (event: Recorded) => string | undefined;
  readonly react: (event: Recorded, context: PolicyContext) => Promise<void>;
}

export function policy<const E extends readonly EventDefinition[]>(spec: {
  /** `<context>.<verb-object>`, stable: it is part of command keys. */
  readonly name: string;
  readonly on: E;
  /** Defaults to the event's stream; undefined where the event is none of the policy's business. */
  readonly target?: (event: EventOf<E[number]>) => string | undefined;
  readonly react: (event: EventOf<E[number]>, context: PolicyContext) => Promise<void>;
}): Policy {
  const { target } = spec;
  return {
    name: spec.name,
    definitions: spec.on,
    target: (event) => (target === undefined ? event.stream : target(event as EventOf<E[number]>)),
    react: (event, context) => spec.react(event as EventOf<E[number]>, context),
  };
}

/**
 * Answers one kind of ask. The host refuses it after `notAfter`, records the answer and, where
 * another answer stands, calls `undo`.
 */
export interface Responder {
  readonly ask: AskName;
  /** Asks and events of one target are handled in order; see {@link Policy.target}. */
  readonly target: (input: unknown, ref: AskRef) => string;
  /** `later`: a policy will call `answer` when it is done (a node has to act first). */
  readonly act: (
    input: unknown,
    ref: AskRef,
    event: Recorded,
    context: PolicyContext,
  ) => Promise<Answer | 'later'>;
  readonly undo: (
    input: unknown,
    ref: AskRef,
    event: Recorded,
    context: PolicyContext,
  ) => Promise<void>;
}

export function responder<N extends AskName>(
  ask: N,
  spec: {
    readonly act: (
      input: AskInput<N>,
      context: PolicyContext,
      ask: {
        readonly ref: AskRef;
        readonly tenantId: string;
        readonly notAfter: string;
        readonly homeId: string;
        /** Recorded time of the ask: what is in force then is what it is told. */
        readonly askedAt: string;
      },
    ) => Promise<
      | { readonly outcome: 'done'; readonly result: AskResult<N> }
      | { readonly outcome: 'refused' | 'failed'; readonly refusal: Refusal }
      | 'later'
    >;
    /** What must not be overtaken by this ask, e.g. the account's stream; default the operation. */
    readonly target?: (input: AskInput<N>) => string;
    /** Undoes a `done` that came too late. Needed wherever `act` changes anything. */
    readonly undo?: (
      input: AskInput<N>,
      context: PolicyContext,
      ask: { readonly ref: AskRef; readonly homeId: string },
    ) => Promise<void>;
  },
): Responder {
  const facts = (ref: AskRef, event: Recorded) => ({
    ref,
    homeId: event.homeid,
    askedAt: event.time,
    tenantId: String(event.data['tenantId']),
    notAfter: String(event.data['notAfter']),
  });
  return {
    ask,
    target: (input, ref) => spec.target?.(input as AskInput<N>) ?? ref.operationId,
    act: (input, ref, event, context) => spec.act(input as AskInput<N>, context, facts(ref, event)),
    undo: async (input, ref, event, context) =>
      spec.undo?.(input as AskInput<N>, context, facts(ref, event)),
  };
}

// --- timers ---------------------------------------------------------------------------------------

/** A row of a timer projection: at `due`, run the command. Rows live in the service's read model. */
export interface TimerRow {
  /** Unique within the service; with `due` it is the command's idempotency key. */
  readonly id: string;
  /** RFC 3339 UTC with milliseconds. */
  readonly due: string;
  readonly homeId: string;
  /** Name of a command contract of the service, and its input. */
  readonly command: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** The table timers are in: projections `put` a deadline and `delete` it when it has been met. */
export const timers: Table<TimerRow, 'byDue'> = {
  name: 'timers',
  key: (row) => row.id,
  indexes: { byDue: (row) => [row.due, row.id] },
};

// --- a service -------------------------------------------------------------------------------------

export interface ServiceDefinition {
  readonly name: string;
  /** Every event type it reads or writes, of any context: its slice. */
  readonly events: readonly EventDefinition[];
  readonly commands: readonly CommandHandler[];
  readonly queries: readonly QueryHandler[];
  readonly projections: readonly Projection[];
  readonly policies: readonly Policy[];
  readonly responders: readonly Responder[];
  /**
   * Services whose reactions, too, must have consumed a timer's home past its due time before it
   * fires: whoever could still meet the deadline by something recorded before it. None by default.
   */
  readonly timerAwaits?: (row: TimerRow) => readonly string[];
  /** What is measured of its read model whenever somebody scrapes. */
  readonly measures?: readonly ViewMeasure[];
  /** What it sees to at each start of a process that runs it. */
  readonly startup?: Startup;
}

/** What is looked up of a read model for metrics: bounded in what it reads, and in the series it makes. */
export type ViewMeasure = (
  view: View,
  /** Milliseconds since 1970. */
  now: number,
  metrics: Pick<Metrics, 'gauge' | 'replace'>,
) => void;

/** What a service sees to at each start, in the process that runs it. */
export interface Startup {
  /** Its read model has caught up and nothing was answered yet. Throwing ends the start. */
  readonly caughtUp?: (view: View, ports: EdgePorts) => Promise<void>;
  /**
   * It answers. What must always be there is asked for: by commands of its own that are idempotent,
   * for every replica does it.
   */
  readonly started?: (self: ServiceCaller, settings: StartupSettings) => Promise<void>;
}

/** What an installation that is new is called. */
export interface StartupSettings {
  readonly providerName: string;
}

export function service(spec: ServiceDefinition): ServiceDefinition {
  return spec;
}

/** A decision's events typed loosely, for hosts and tests. */
export type AnyDecision = Decision<Decided>;
