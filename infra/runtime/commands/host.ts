/**
 * The command host: parses, checks rights, finds the aggregate, decides, appends, answers. Every
 * change of the system goes through `command` here, whoever asks for it.
 */
import {
  accessRefusal,
  canonicalBytes,
  type CommandCall,
  type CommandContract,
  type CommandReply,
  type EventRegistry,
  type Principal,
  type Recorded,
  refuse,
  type Refusal,
  rightRefusal,
} from '@bivouac/events/language';
import { uuidOf } from '@bivouac/events/values';
import type { z } from 'zod';

import { type EventStore, EventStoreError } from '../../event-store/port.ts';
import { KeyError } from '../../keys/port.ts';
import { inSpan, type Spanned } from '../../tracing/spans.ts';
import type { Clock } from '../clock.ts';
import type {
  Aggregate,
  CommandHandler,
  EdgePorts,
  LoadAggregate,
  Loaded,
  Owner,
} from '../definitions.ts';
import { RuntimeError } from '../errors.ts';
import { invalidInput } from '../input.ts';
import { type Metrics, noMetrics } from '../metrics/port.ts';
import { LatelyUsed } from './lately-used.ts';
import { LoadedStream } from './loaded-stream.ts';
import { CommandMeasures, streamMeasures } from './measures.ts';
import type { StreamSnapshots } from './snapshots/index.ts';
import { type Job, type Outcome, positionOf, StreamQueue } from './stream-queue.ts';

/** How many idle streams are kept loaded, at least; at most twice as many. */
const KEPT_STREAMS = 10_000;

export interface CommandHostOptions {
  readonly handlers: readonly CommandHandler[];
  readonly store: EventStore;
  readonly registry: EventRegistry;
  readonly clock: Clock;
  readonly ports: EdgePorts;
  /** The provider's tenant id, the tenant of platform streams. */
  readonly providerId: () => string;
  /** So that long streams are not read from their beginning. */
  readonly snapshots?: StreamSnapshots | undefined;
  readonly metrics?: Metrics;
}

export interface CommandHost {
  command<I extends z.ZodType, R extends z.ZodType>(
    contract: CommandContract<I, R>,
    input: z.input<I>,
    call: CommandCall,
  ): Promise<CommandReply<z.output<R>>>;
  /** By name and unparsed, as timers and remote callers have it. */
  commandByName(name: string, input: unknown, call: CommandCall): Promise<CommandReply<unknown>>;
  load<S>(aggregate: Aggregate<S>, stream: string, upTo?: bigint): Promise<Loaded<S>>;
  /** See {@link PolicyContext.read}. */
  read<S, T>(aggregate: Aggregate<S>, stream: string, select: (state: S) => T): Promise<T>;
  /** Refuses new commands; those under way end. */
  stop(): Promise<void>;
}

/** Makes the command host of a process. */
export function commandHost(options: CommandHostOptions): CommandHost {
  const handlers = new Map<string, CommandHandler>();
  for (const handler of options.handlers) {
    if (handlers.has(handler.contract.name)) {
      throw new RuntimeError(
        'misconfigured',
        `two handlers for the command ${handler.contract.name}`,
      );
    }
    handlers.set(handler.contract.name, handler);
  }
  const stopping = new AbortController();
  const queues = new LatelyUsed<StreamQueue>(KEPT_STREAMS, (queue) => queue.idle);
  const copies = new LatelyUsed<{ readonly revision: bigint | undefined; readonly state: unknown }>(
    KEPT_STREAMS,
  );
  const { metrics = noMetrics } = options;
  const measures = new CommandMeasures(metrics, handlers.keys());
  const ofStreams = streamMeasures(metrics);
  // From the start: whoever scrapes sees the first rise of a series only where it was there before.
  for (const { aggregate } of handlers.values()) ofStreams(aggregate.category);
  let underWay = 0;
  let quiet: (() => void)[] = [];

  const queueOf = (stream: string, aggregate: Aggregate): StreamQueue => {
    const known = queues.get(stream);
    if (known !== undefined) return known;
    const queue = new StreamQueue(stream, aggregate, {
      store: options.store,
      registry: options.registry,
      clock: options.clock,
      random: options.ports.random,
      providerId: options.providerId,
      stopping: stopping.signal,
      snapshots: options.snapshots,
      measures: ofStreams(aggregate.category),
    });
    queues.set(stream, queue);
    return queue;
  };

  const last = async (stream: string): Promise<Recorded | undefined> => {
    const page = await options.store.readStream(stream, { direction: 'backwards', limit: 1 });
    const [event] = page.exists ? page.events : [];
    return event === undefined ? undefined : options.registry.decode(event);
  };

  const load: LoadAggregate = async <S>(
    aggregate: Aggregate<S>,
    stream: string,
    upTo?: bigint,
  ): Promise<Loaded<S>> => {
    if (upTo !== undefined) {
      const past = new LoadedStream(stream, aggregate, options.registry);
      await past.catchUp(options.store, upTo);
      return viewOf<S>(past, past.state);
    }
    return queueOf(stream, aggregate).look((loaded) => {
      const known = copies.get(stream);
      if (known !== undefined && known.revision === loaded.revision) {
        return viewOf<S>(loaded, known.state);
      }
      // A copy: the queue goes on changing its own state.
      const state = structuredClone(loaded.state);
      copies.set(stream, { revision: loaded.revision, state });
      return viewOf<S>(loaded, state);
    });
  };

  const read = <S, T>(
    aggregate: Aggregate<S>,
    stream: string,
    select: (state: S) => T,
  ): Promise<T> =>
    queueOf(stream, aggregate).look((loaded) => select(viewOf<S>(loaded, loaded.state).state));

  const run = async (
    name: string,
    rawInput: unknown,
    call: CommandCall,
  ): Promise<CommandReply<unknown>> => {
    const handler = handlers.get(name);
    if (handler === undefined)
      throw new RuntimeError('misconfigured', `no handler for the command ${name}`);
    if (stopping.signal.aborted) {
      return refused(
        refuse('SHUTTING_DOWN', 'This replica is stopping; send the command again.', {
          retryable: true,
        }).refusal,
      );
    }
    const { contract } = handler;
    const denied = accessRefusal(contract, call.principal);
    if (denied !== undefined) return refused(denied);
    const parsed = contract.input.safeParse(rawInput);
    if (!parsed.success) return refused(invalidInput(parsed.error));
    const notHis = rightRefusal(contract, call.principal, parsed.data);
    if (notHis !== undefined) return refused(notHis);
    return execute(handler, parsed.data, call);
  };

  const execute = async (
    handler: CommandHandler,
    input: unknown,
    call: CommandCall,
  ): Promise<CommandReply<unknown>> => {
    const { spec, contract } = handler;
    const { principal, expectedRevision } = call;
    if (expectedRevision !== undefined && !/^\d{1,20}$/.test(expectedRevision)) {
      return refused(noRevision(expectedRevision));
    }
    const expected = expectedRevision === undefined ? undefined : BigInt(expectedRevision);
    // A stream whose id comes from the command's key is created by it: its subject is `new`.
    let newKey: string | undefined;
    const stream = spec.stream(input, {
      principal,
      get commandKey() {
        return (newKey ??= keyOf(contract, call, 'new'));
      },
    });
    const commandKey = newKey ?? keyOf(contract, call, stream);
    return inSpan(
      {
        name: `command ${contract.name}`,
        kind: 'internal',
        attributes: {
          'bivouac.command': contract.name,
          'bivouac.command.key': commandKey,
          'bivouac.correlation': call.correlationId ?? commandKey,
          'bivouac.stream': stream,
          'bivouac.actor': principal.id,
        },
        correlationId: call.correlationId ?? commandKey,
      },
      async (span) => {
        const reply = await decided(handler, input, call, { stream, commandKey, expected, span });
        span.note({ 'bivouac.outcome': outcomeOf(reply) });
        return reply;
      },
    );
  };

  const decided = async (
    handler: CommandHandler,
    input: unknown,
    call: CommandCall,
    { stream, commandKey, expected, span }: Decided,
  ): Promise<CommandReply<unknown>> => {
    const { spec } = handler;
    const { principal } = call;
    const edge = { principal, commandKey };
    const owner: Owner | undefined = spec.owner?.(input, principal, stream);
    const about = spec.about?.(input);
    if (owner !== undefined && !mayOwn(principal, owner, about)) return refused(notFound);
    const hashOwner = spec.person?.(input, edge) ?? `home:${principal.homeId}`;
    const inputHash = await options.ports.keys.hmac(hashOwner, canonicalBytes(input));
    const prepared =
      spec.prepare === undefined
        ? { input }
        : await spec.prepare(input, options.ports, { ...edge, load, last });

    const outcome = await new Promise<Outcome>((resolve, reject) => {
      const job: Job = {
        commandKey,
        inputHash,
        actorId: principal.id,
        correlationId: call.correlationId ?? commandKey,
        causationId: call.causationId ?? commandKey,
        otherInputIsDone: principal.kind === 'policy' || principal.kind === 'timer',
        reaches: (owning) => principal.reach === 'all' || principal.reach.has(about ?? owning),
        owner,
        expectedRevision: expected,
        decide: (state, context) => spec.decide(state, prepared.input, context),
        span: span.context,
        resolve,
        reject,
        attempts: 0,
      };
      queueOf(stream, handler.aggregate).push(job);
    });
    return answer(handler, input, { stream, commandKey }, outcome, prepared.reveal);
  };

  const answer = async (
    handler: CommandHandler,
    input: unknown,
    { stream, commandKey }: { readonly stream: string; readonly commandKey: string },
    outcome: Outcome,
    reveal: Readonly<Record<string, string>> | undefined,
  ): Promise<CommandReply<unknown>> => {
    if (outcome.kind === 'refused') return refused(outcome.refusal);
    const events =
      outcome.kind === 'appended'
        ? outcome.events
        : outcome.kind === 'repeated'
          ? await recall(stream, outcome)
          : [];
    const result = handler.spec.result(events, input, stream, commandKey);
    const revision =
      outcome.kind === 'nothing' ? (outcome.revision ?? -1n) : (events.at(-1)?.revision ?? -1n);
    return {
      ok: true,
      // A secret is shown in the first reply only: it is in no event, so no repeat can show it.
      result:
        outcome.kind === 'appended' && reveal !== undefined
          ? Object.assign({}, result, reveal)
          : result,
      stream,
      revision,
      position: outcome.kind === 'repeated' ? events.at(-1)?.position : positionOf(outcome),
      repeated: outcome.kind === 'repeated',
    };
  };

  const recall = async (
    stream: string,
    command: { readonly from: bigint; readonly count: number },
  ): Promise<Recorded[]> => {
    const page = await options.store.readStream(stream, {
      from: command.from,
      limit: command.count,
    });
    if (!page.exists) throw new RuntimeError('defect', `${stream} was remembered and is missing`);
    return page.events.flatMap((event) => options.registry.decode(event) ?? []);
  };

  /** Storage trouble is a refusal that may be retried; anything else is a defect and stays an exception. */
  const guarded = async (
    name: string,
    input: unknown,
    call: CommandCall,
  ): Promise<CommandReply<unknown>> => {
    underWay += 1;
    let reply: CommandReply<unknown> | undefined;
    try {
      reply = await run(name, input, call);
      return reply;
    } catch (error) {
      const refusal = storageRefusal(error) ?? keyRefusal(error);
      if (refusal === undefined) throw error;
      reply = refused(refusal);
      return reply;
    } finally {
      measures.ended(name, reply);
      underWay -= 1;
      if (underWay === 0) {
        for (const resolve of quiet) resolve();
        quiet = [];
      }
    }
  };

  return {
    command: (contract, input, call) =>
      guarded(contract.name, input, call) as Promise<
        CommandReply<z.output<(typeof contract)['result']>>
      >,
    commandByName: guarded,
    load,
    read,
    stop: async () => {
      stopping.abort();
      if (underWay > 0) await new Promise<void>((resolve) => quiet.push(resolve));
      await options.snapshots?.idle();
    },
  };
}

/**
 * Law: the same principal, command, stream (or `new`) and idempotency key make the same key. The
 * principal of a key is its member, who may have a new key by the time of the retry.
 */
function keyOf(
  { name }: CommandContract,
  { principal, idempotencyKey }: CommandCall,
  subject: string,
): string {
  const { tenantId, memberId = principal.id } = principal;
  return uuidOf(tenantId, memberId, name, subject, idempotencyKey);
}

/** A command whose stream is known. */
interface Decided {
  readonly stream: string;
  readonly commandKey: string;
  readonly expected: bigint | undefined;
  readonly span: Spanned;
}

function outcomeOf(reply: CommandReply<unknown>): string {
  if (!reply.ok) return reply.refusal.code;
  if (reply.repeated) return 'repeated';
  return reply.position === undefined ? 'nothing' : 'appended';
}

const notFound = refuse(
  'NOT_FOUND',
  'There is no such thing, or it is not yours; check the id.',
).refusal;

function noRevision(given: string): Refusal {
  return refuse(
    'INVALID_INPUT',
    `${JSON.stringify(given.slice(0, 40))} is no version. Send the \`version\` of the object as it was read, or none.`,
    { path: ['expectedVersion'] },
  ).refusal;
}

function refused(refusal: Refusal): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal };
}

function viewOf<S>(loaded: LoadedStream, state: unknown): Loaded<S> {
  return {
    exists: loaded.exists,
    state: state as S,
    revision: loaded.revision,
    tenantId: loaded.tenantId,
    homeId: loaded.homeId,
  };
}

/** @param about the tenant the command is about, where the stream holds things of several. */
function mayOwn({ reach }: Principal, owner: Owner, about: string | undefined): boolean {
  if (reach === 'all') return true;
  return owner !== 'platform' && reach.has(about ?? owner.tenantId);
}

/**
 * Of an erased person nothing can be sealed or hashed: so nobody can say whether a command about them
 * is a repeat, and it is none that could be done.
 */
function keyRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof KeyError)) return undefined;
  if (error.code === 'erased') {
    return refuse(
      'PERSON_ERASED',
      'The person this is about was erased; nothing is done for them any more, nor told of what was.',
    ).refusal;
  }
  if (error.code === 'unavailable') {
    return refuse(
      'UNAVAILABLE',
      'The keys of personal data cannot be reached; nothing was done, send it again.',
      { retryable: true },
    ).refusal;
  }
  return undefined;
}

function storageRefusal(error: unknown): Refusal | undefined {
  const again = { retryable: true };
  if (error instanceof RuntimeError) {
    if (error.code === 'contention') return refuse('CONTENTION', error.message, again).refusal;
    if (error.code === 'unavailable') return refuse('UNAVAILABLE', error.message, again).refusal;
    if (error.code === 'outcome-unknown')
      return refuse('OUTCOME_UNKNOWN', error.message, again).refusal;
  }
  if (error instanceof EventStoreError) {
    if (error.code === 'unavailable' || error.code === 'closed') {
      return refuse(
        'UNAVAILABLE',
        'The event store cannot be reached; nothing was done, send it again.',
        again,
      ).refusal;
    }
    if (error.code === 'outcome-unknown') {
      return refuse(
        'OUTCOME_UNKNOWN',
        'The store has not confirmed the command; send it again with the same key.',
        again,
      ).refusal;
    }
    if (error.code === 'too-large') {
      return refuse(
        'TOO_LARGE',
        `The input makes an event beyond the limits: ${error.message}. Send less at once.`,
      ).refusal;
    }
  }
  return undefined;
}
