/**
 * Calls services over HTTP. A call that a replica did not answer goes to another one: a query always,
 * a command because its key makes it one command however often it comes. What the service itself
 * refused is its answer. The caller is told the truth in the end: that nothing was done, or that it
 * may have been.
 */
import {
  type CommandCall,
  type CommandContract,
  type CommandReply,
  type QueryCall,
  type QueryContract,
  type QueryReply,
  refuse,
  type Refusal,
  type ServiceCaller,
} from '@bivouac/events/language';
import type { z } from 'zod';

import type { Clock } from '../runtime/clock.ts';
import { RuntimeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logging.ts';
import { type Histogram, type Metrics, noMetrics } from '../runtime/metrics/port.ts';
import { inSpan, type Spanned } from '../tracing/spans.ts';
import { RetryBudget } from './budget.ts';
import type { Identity } from './identity.ts';
import { jsonText } from './json.ts';
import { type Replica, Replicas, type ReplicaState } from './replicas.ts';
import { resultOf } from './result.ts';
import { routingKey } from './routing-key.ts';
import { type Transport, type TransportOptions, transportTo } from './transport.ts';
import { CommandReplySchema, MAX_CALL_BYTES, messageOf, QueryReplySchema } from './wire.ts';
import { type Watching, watchReplicas } from './watching.ts';
import type { Resolve } from './addresses.ts';

export interface CallServicesOptions {
  /** Base URLs of the replicas, by service: `http://10.0.0.5:4201`. */
  readonly services: ReadonlyMap<string, readonly string[]>;
  readonly identity: Identity;
  /** Network time. */
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a call may take with all its repetitions, in milliseconds; 15,000 unless told. */
  readonly deadlineMs?: number;
  /** How long one replica may take where there is another, in milliseconds; 7,000 unless told. */
  readonly attemptMs?: number;
  /** PEM of the authorities to trust for `https:` instead of the system's. */
  readonly ca?: string | undefined;
  /** Most connections to each replica; 64 unless told. */
  readonly connections?: number;
  /** From 0 to 1. */
  readonly random?: () => number;
  /** Addresses of a host name; the system's unless told. */
  readonly resolve?: Resolve;
  readonly metrics?: Metrics;
  /** How calls are carried; HTTP unless told. */
  readonly transport?: (options: TransportOptions) => Transport;
}

export interface RemoteServices extends ServiceCaller {
  /** The replicas of each service, and which are left out because they failed. */
  reachable(): ReadonlyMap<string, readonly ReplicaState[]>;
  /** Ends all connections; calls under way are lost. */
  close(): Promise<void>;
}

interface Service {
  readonly name: string;
  readonly replicas: Replicas;
  readonly watching: Watching;
  readonly budget: RetryBudget;
  readonly seconds: Readonly<Record<Outcome['kind'], Histogram>>;
}

/** What became of a call after all its repetitions. */
type Outcome =
  | { readonly kind: 'answered'; readonly reply: unknown; readonly maybeBefore: boolean }
  | { readonly kind: 'not-done' | 'maybe-done'; readonly why: string }
  | { readonly kind: 'misconfigured' | 'defect'; readonly why: string };

/** Pauses between repetitions, in milliseconds: doubled up to the second. */
const PAUSE_MS = [25, 1_000] as const;

/** Calls services where they are. */
export function callServices(options: CallServicesOptions): RemoteServices {
  const { clock, logger, identity, ca, metrics = noMetrics } = options;
  const random = options.random ?? Math.random;
  const deadlineMs = options.deadlineMs ?? 15_000;
  const attemptMs = options.attemptMs ?? 7_000;
  const connect = options.transport ?? transportTo;
  const closed = new AbortController();
  const services = new Map<string, Service>();
  for (const [name, urls] of options.services) {
    const replicas = new Replicas({ service: name, clock, random, logger });
    const watching = watchReplicas({
      urls,
      replicas,
      clock,
      logger,
      closed: closed.signal,
      ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
      connect: (origin, address) =>
        connect({ origin, address, ca, connections: options.connections ?? 64 }),
    });
    services.set(name, {
      name,
      replicas,
      watching,
      budget: new RetryBudget(clock),
      seconds: secondsOf(metrics, name),
    });
  }

  const serviceOf = (contract: string): Service => {
    const name = contract.split('.')[0] ?? '';
    const service = services.get(name);
    if (service !== undefined) return service;
    throw new RuntimeError(
      'misconfigured',
      `nobody knows where ${name} is, which answers ${contract}: name its URLs in SERVICE_URLS`,
    );
  };

  const send = async (
    contract: string,
    body: string,
    key: string | undefined,
    span: Spanned,
  ): Promise<Outcome> => {
    const { seconds } = serviceOf(contract);
    const begun = clock.now();
    const outcome = await sending(contract, body, key, span);
    seconds[outcome.kind].observe(Math.max(0, clock.now() - begun) / 1000);
    return outcome;
  };

  /** One call with its repetitions, within the deadline. */
  const sending = async (
    contract: string,
    body: string,
    key: string | undefined,
    span: Spanned,
  ): Promise<Outcome> => {
    const { name, replicas, watching, budget } = serviceOf(contract);
    const until = clock.now() + deadlineMs;
    const over = new AbortController();
    void clock.sleep(deadlineMs, over.signal).then(() => {
      over.abort();
    });
    budget.called();
    const tried = new Set<Replica>();
    let maybe = false;
    let why = 'no replica is known';
    const giveUp = (): Outcome => ({ kind: maybe ? 'maybe-done' : 'not-done', why });
    try {
      await Promise.race([watching.known, clock.sleep(deadlineMs, over.signal)]);
      for (let attempt = 0; ; attempt++) {
        const left = Math.min(deadlineMs, until - clock.now());
        const replica = replicas.pick(tried, key);
        if (over.signal.aborted || closed.signal.aborted || left <= 0) return giveUp();
        if (replica !== undefined) {
          const wait = replicas.size > 1 ? Math.min(left, attemptMs) : left;
          const { traceparent } = span;
          const exchange = await once(name, replica, { contract, body, wait, traceparent });
          span.note({
            'bivouac.call.attempts': attempt + 1,
            'bivouac.call.outcome': exchange.kind,
          });
          switch (exchange.kind) {
            case 'answered':
              replicas.answered(replica);
              return { kind: 'answered', reply: exchange.reply, maybeBefore: maybe };
            case 'defect':
              replicas.answered(replica);
              return { kind: 'defect', why: exchange.why };
            case 'not-here': {
              why = exchange.why;
              tried.add(replica);
              // Another may be of another release, or have read the file of trusted callers later.
              if (replicas.hasFresh(tried) && budget.spend()) continue;
              return maybe ? giveUp() : { kind: 'misconfigured', why };
            }
            case 'lost':
              maybe = true;
              break;
            case 'turned-away':
            case 'unsent':
              break;
          }
          why = exchange.why;
          replicas.failed(replica, why);
          tried.add(replica);
          // What has cost a service nothing is not counted: it is paced by the pauses alone.
          const free =
            exchange.kind === 'unsent' || (exchange.kind === 'turned-away' && exchange.stopping);
          if (!free && !budget.spend()) return giveUp();
          if (replicas.hasFresh(tried)) continue;
        }
        tried.clear();
        await clock.sleep(pauseOf(attempt), over.signal);
      }
    } finally {
      over.abort();
    }
  };

  const pauseOf = (attempt: number): number => {
    const [first, longest] = PAUSE_MS;
    return Math.min(longest, first * 2 ** Math.min(attempt, 10)) * (0.5 + random() / 2);
  };

  const once = async (
    service: string,
    replica: Replica,
    call: {
      readonly contract: string;
      readonly body: string;
      readonly wait: number;
      readonly traceparent: string | undefined;
    },
  ) => {
    const token = await identity.tokenFor(service, clock);
    const done = new AbortController();
    const late = new AbortController();
    void clock.sleep(call.wait, done.signal).then(() => {
      late.abort();
    });
    replica.inFlight += 1;
    try {
      return await replica.transport.exchange({
        contract: call.contract,
        token,
        body: call.body,
        deadlineMs: call.wait,
        traceparent: call.traceparent,
        late: late.signal,
      });
    } finally {
      replica.inFlight -= 1;
      done.abort();
    }
  };

  return {
    command: async <I extends z.ZodType, R extends z.ZodType>(
      contract: CommandContract<I, R>,
      input: z.input<I>,
      call: CommandCall,
    ): Promise<CommandReply<z.output<R>>> => {
      const body = bodyOf(contract.name, input, call);
      if (typeof body !== 'string') return { ok: false, refusal: body };
      const key = routingKey(contract, input, call.principal);
      const { correlationId } = call;
      const outcome = await inSpan(
        { name: `call ${contract.name}`, kind: 'client', correlationId },
        (span) => send(contract.name, body, key, span),
      );
      switch (outcome.kind) {
        case 'answered': {
          const reply = parsedReply(CommandReplySchema, contract.name, outcome.reply);
          if (reply.ok) return { ...reply, result: resultOf(contract, reply.result) };
          // The first sending may still come to pass behind this refusal.
          return outcome.maybeBefore
            ? { ok: false, refusal: unknownOutcome('it was sent again and refused') }
            : reply;
        }
        case 'not-done':
          return { ok: false, refusal: notDone(outcome.why) };
        case 'maybe-done':
          return { ok: false, refusal: unknownOutcome(outcome.why) };
        case 'misconfigured':
        case 'defect':
          throw new RuntimeError(outcome.kind, `${contract.name}: ${outcome.why}`);
      }
    },
    query: async <I extends z.ZodType, R extends z.ZodType>(
      contract: QueryContract<I, R>,
      input: z.input<I>,
      call: QueryCall,
    ): Promise<QueryReply<z.output<R>>> => {
      const body = bodyOf(contract.name, input, call);
      if (typeof body !== 'string') return { ok: false, refusal: body };
      const outcome = await inSpan({ name: `call ${contract.name}`, kind: 'client' }, (span) =>
        send(contract.name, body, undefined, span),
      );
      switch (outcome.kind) {
        case 'answered': {
          const reply = parsedReply(QueryReplySchema, contract.name, outcome.reply);
          return reply.ok ? { ...reply, result: resultOf(contract, reply.result) } : reply;
        }
        case 'not-done':
        case 'maybe-done':
          throw new RuntimeError('unavailable', `${contract.name}: ${outcome.why}`);
        case 'misconfigured':
        case 'defect':
          throw new RuntimeError(outcome.kind, `${contract.name}: ${outcome.why}`);
      }
    },
    reachable: () =>
      new Map([...services].map(([name, { replicas }]) => [name, replicas.states()])),
    close: async () => {
      closed.abort();
      await Promise.all([...services.values()].map(({ watching }) => watching.end()));
    },
  };
}

/** How long calls of a service take, by what became of them. */
function secondsOf(metrics: Metrics, service: string): Service['seconds'] {
  const of = (outcome: string): Histogram =>
    metrics.histogram('call_seconds', { service, outcome });
  return {
    answered: of('answered'),
    'not-done': of('not-done'),
    'maybe-done': of('maybe-done'),
    misconfigured: of('misconfigured'),
    defect: of('defect'),
  };
}

/** The body of a call, or why it cannot be one. */
function bodyOf(contract: string, input: unknown, call: CommandCall | QueryCall): string | Refusal {
  const body = jsonText(messageOf(input, call));
  if (Buffer.byteLength(body) <= MAX_CALL_BYTES) return body;
  return refuse(
    'TOO_LARGE',
    `The input of ${contract} is beyond ${MAX_CALL_BYTES} bytes. Send less at once.`,
  ).refusal;
}

function parsedReply<S extends z.ZodType>(
  schema: S,
  contract: string,
  reply: unknown,
): z.output<S> {
  const parsed = schema.safeParse(reply);
  if (parsed.success) return parsed.data;
  throw new RuntimeError('defect', `${contract} was answered with what is no reply`);
}

const again = { retryable: true };

function notDone(why: string): Refusal {
  return refuse(
    'UNAVAILABLE',
    `The service cannot be reached; nothing was done, send it again. (${why})`,
    again,
  ).refusal;
}

function unknownOutcome(why: string): Refusal {
  return refuse(
    'OUTCOME_UNKNOWN',
    `The service has not confirmed the command; send it again with the same key. (${why})`,
    again,
  ).refusal;
}
