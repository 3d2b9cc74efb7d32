/**
 * One subscription: each change of its object as an answer to its document, in order. It is paid for
 * by the answer, its key is asked for again at least every two seconds, and it waits for a reader who
 * is slow: nothing is read ahead.
 */
import {
  createSourceEventStream,
  type DocumentNode,
  execute,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
} from 'graphql';

import { defect, presentable } from '../errors/presentable.ts';
import type { GatewayClock } from '../http/authentication.ts';
import type { Budget } from '../limits/budget.ts';
import type { Context } from '../request/context.ts';
import type { GatewayLogger, Services } from '../request/services.ts';
import type { Viewer } from '../request/viewer.ts';
import { type ChangePort, type Live } from './changes.ts';

/** How often it is asked whether the key still counts, in milliseconds. */
const RECHECK_MS = 2000;
/** How long a read model that is behind the news is left alone, in milliseconds. */
const PAUSE_MS = 250;
/** A sign of life for proxies, every so many rechecks. */
const BEAT_EVERY = 5;

export interface SubscriptionParts {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variables: Readonly<Record<string, unknown>> | null | undefined;
  readonly cost: number;
  readonly budget: Budget;
  readonly clock: GatewayClock;
  /** Read models are waited for by it. */
  readonly machine: GatewayClock;
  readonly logger: GatewayLogger;
  readonly changes: ChangePort;
  readonly requestId: string;
  readonly resumeAt: string | undefined;
  /** Who the key belongs to by now. */
  readonly recheck: () => Promise<Viewer | GraphQLError>;
  readonly contextOf: (viewer: Viewer) => Context;
  readonly onClosed: () => void;
}

/** An answer with where it stands in the log, for who is cut off after it. */
export interface Answered {
  readonly position: string | undefined;
  readonly result: ExecutionResult;
}

export class Subscription implements AsyncIterable<ExecutionResult> {
  readonly #parts: SubscriptionParts;
  readonly #ended = new AbortController();
  #viewer: Viewer;
  #refusal: GraphQLError | undefined;
  #onBeat: () => void = () => undefined;

  constructor(viewer: Viewer, parts: SubscriptionParts) {
    this.#viewer = viewer;
    this.#parts = parts;
    void this.#watch();
  }

  /** Calls back from time to time while nothing happens. */
  onBeat(callback: () => void): void {
    this.#onBeat = callback;
  }

  /** Ends it; the reader is told why. */
  end(refusal: GraphQLError): void {
    this.#refusal ??= refusal;
    this.close();
  }

  /** Nobody reads any more. Safe to call often. */
  close(): void {
    this.#ended.abort();
    this.#parts.onClosed();
  }

  /** The answers alone. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ExecutionResult> {
    for await (const { result } of this.answers()) yield result;
  }

  /** Every answer, the last one with the error that ended it where there was one. */
  async *answers(): AsyncGenerator<Answered> {
    try {
      yield* this.#answers();
      if (this.#refusal !== undefined) yield refused(this.#refusal);
    } catch (error) {
      const { requestId, logger } = this.#parts;
      yield refused(
        error instanceof GraphQLError
          ? presentable(error, requestId, logger)
          : defect(error, requestId, logger),
      );
    } finally {
      this.close();
    }
  }

  async *#answers(): AsyncGenerator<Answered> {
    const { schema, document, operationName, variables, contextOf } = this.#parts;
    const given = { schema, document, operationName, variableValues: variables };
    const source = await createSourceEventStream({
      ...given,
      contextValue: { ...contextOf(this.#viewer), live: this.#live() },
    });
    if (!isIterable(source)) {
      yield { position: undefined, result: this.#shown(source) };
      return;
    }
    for await (const change of source) {
      await this.#pay();
      if (this.#ended.signal.aborted) return;
      const position = positionOf(change);
      const context = contextOf(this.#viewer);
      // What is told of the object is never older than the change.
      context.services.raiseTo(position);
      const result = await execute({ ...given, rootValue: change, contextValue: context });
      // The key may have been revoked meanwhile.
      if (this.#ended.signal.aborted) return;
      yield { position, result: this.#shown(result) };
    }
  }

  #live(): Live {
    const { changes, resumeAt, contextOf, machine } = this.#parts;
    return {
      pause: () => machine.sleep(PAUSE_MS, this.#ended.signal),
      changes,
      resumeAt,
      ended: this.#ended.signal,
      services: (): Services => contextOf(this.#viewer).services,
    };
  }

  /** Waits where the account's bucket is empty: what is late is not lost. */
  async #pay(): Promise<void> {
    const { budget, cost, clock } = this.#parts;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const refusal = await budget.spend(this.#viewer, cost);
      if (refusal === undefined) return;
      const { retryAfter } = refusal.extensions;
      await clock.sleep(1000 * Math.max(1, Number(retryAfter)), signal);
    }
  }

  async #watch(): Promise<void> {
    const { clock, recheck, logger, requestId } = this.#parts;
    const { signal } = this.#ended;
    for (let beat = 1; ; beat += 1) {
      await clock.sleep(RECHECK_MS, signal);
      if (signal.aborted) return;
      try {
        const found = await recheck();
        if (found instanceof GraphQLError) {
          this.end(found);
          return;
        }
        this.#viewer = found;
      } catch (error) {
        this.end(defect(error, requestId, logger));
        return;
      }
      if (beat % BEAT_EVERY === 0) this.#onBeat();
    }
  }

  #shown({ data, errors }: ExecutionResult): ExecutionResult {
    const { requestId, logger, cost } = this.#parts;
    const extensions = { cost };
    if (errors === undefined) return { data: data ?? null, extensions };
    const shown = errors.map((error) => presentable(error, requestId, logger));
    return data === undefined ? { errors: shown, extensions } : { data, errors: shown, extensions };
  }
}

function refused(error: GraphQLError): Answered {
  return { position: undefined, result: { errors: [error] } };
}

function positionOf(change: unknown): string | undefined {
  return typeof change === 'object' &&
    change !== null &&
    'position' in change &&
    typeof change.position === 'string'
    ? change.position
    : undefined;
}

function isIterable(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value;
}
