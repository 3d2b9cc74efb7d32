/**
 * Answers queries: checks who may ask what, parses the input, waits (bounded) for a position, and
 * runs the handler on the service's view, or on any other view handed in.
 */
import {
  accessRefusal,
  type EventRegistry,
  parsePosition,
  type Position,
  type Principal,
  type QueryCall,
  type QueryContract,
  type QueryReply,
  refuse,
  type Refusal,
  rightRefusal,
} from '@bivouac/events/language';
import { instantOf } from '@bivouac/events/values';
import type { z } from 'zod';

import type { EventStore } from '../../event-store/port.ts';
import { BadCursorError } from '../../views/cursor.ts';
import type { View } from '../../views/port.ts';
import type { Clock } from '../clock.ts';
import type { EdgePorts, QueryContext, QueryHandler, ServiceDefinition } from '../definitions.ts';
import { RuntimeError } from '../errors.ts';
import { invalidInput } from '../input.ts';
import type { Follower } from './follower.ts';
import { BadRevisionError, readHistory } from './history-pages.ts';
import { logReading } from './log-reading.ts';

export interface QueryHostOptions {
  readonly services: readonly ServiceDefinition[];
  readonly follower: Pick<Follower, 'view' | 'position' | 'waitFor'>;
  readonly store: EventStore;
  readonly registry: EventRegistry;
  readonly ports: EdgePorts;
  readonly clock: Clock;
  /** Longest wait for `atLeast`, in milliseconds. */
  readonly waitMilliseconds: number;
  /** Hold results against their contracts and throw where they do not fit: for tests. */
  readonly checkResults?: boolean;
}

export interface QueryHost {
  /** Answers from the live view. Throws a RuntimeError for a query that no service here answers. */
  query<I extends z.ZodType, R extends z.ZodType>(
    contract: QueryContract<I, R>,
    input: z.input<I>,
    call: QueryCall,
  ): Promise<QueryReply<z.output<R>>>;
  /** Answers from a view handed in, e.g. one as of a moment; `atLeast` has no meaning there. */
  queryOn<I extends z.ZodType, R extends z.ZodType>(
    of: Looked,
    contract: QueryContract<I, R>,
    input: z.input<I>,
    call: QueryCall,
  ): Promise<QueryReply<z.output<R>>>;
}

interface Known {
  readonly service: string;
  readonly handler: QueryHandler;
}

interface Looked {
  readonly view: View;
  readonly position: Position | null;
}

type Refused = { readonly ok: false; readonly refusal: Refusal };

/** Binds the queries of the services. Throws where two have one name. */
export function queryHost(options: QueryHostOptions): QueryHost {
  const { follower, waitMilliseconds } = options;
  const known = handlersByName(options.services);

  const find = (contract: QueryContract): Known => {
    const found = known.get(contract.name);
    if (found !== undefined) return found;
    throw new RuntimeError(
      'misconfigured',
      `no service in this process answers ${contract.name}: start the one that does, or route to it`,
    );
  };

  const contexts = new WeakMap<Principal, QueryContext>();
  /** A principal asks again and again while its key is remembered. */
  const contextOf = (principal: Principal): QueryContext => {
    const made = contexts.get(principal) ?? contextFor(principal, options);
    contexts.set(principal, made);
    return made;
  };

  /** The live view of a service, once it has applied the position. */
  const lookAt = async (service: string, atLeast: Position): Promise<Looked | Refused> => {
    if (!isPosition(atLeast)) return refused(badPosition(atLeast));
    const reached = await follower.waitFor(service, atLeast, waitMilliseconds);
    return reached ? live(service) : refused(notYet());
  };
  const live = (service: string): Looked => ({
    view: follower.view(service),
    position: follower.position(service),
  });

  /** Parses, looks once the call is known to be allowed, and runs. `of`: not at the live view. */
  const answer = async (
    { service, handler }: Known,
    input: unknown,
    { principal, atLeast }: QueryCall,
    of: Looked | undefined,
  ): Promise<QueryReply<unknown>> => {
    const { contract } = handler;
    const denied = accessRefusal(contract, principal);
    if (denied !== undefined) return refused(denied);
    const parsed = contract.input.safeParse(input);
    if (!parsed.success) return refused(invalidInput(parsed.error));
    const notHis = rightRefusal(contract, principal, parsed.data);
    if (notHis !== undefined) return refused(notHis);
    const looked = of ?? (atLeast === undefined ? live(service) : await lookAt(service, atLeast));
    if ('refusal' in looked) return looked;
    const { view, position } = looked;
    try {
      const result = await handler.run(view, parsed.data, contextOf(principal));
      if (isRefusal(result)) return refused(result.refusal);
      if (options.checkResults === true) checkResult(service, contract, result);
      return { ok: true, result, position };
    } catch (error) {
      if (error instanceof BadCursorError || error instanceof BadRevisionError) {
        return refused(badCursor(error));
      }
      throw error;
    }
  };

  return {
    query: (contract, input, call) =>
      answer(find(contract), input, call, undefined) as Promise<QueryReply<never>>,
    queryOn: (of, contract, input, call) =>
      answer(find(contract), input, call, of) as Promise<QueryReply<never>>,
  };
}

function handlersByName(services: readonly ServiceDefinition[]): ReadonlyMap<string, Known> {
  const known = new Map<string, Known>();
  for (const { name: service, queries } of services) {
    for (const handler of queries) {
      const { name } = handler.contract;
      const other = known.get(name);
      if (other !== undefined) {
        throw new RuntimeError(
          'misconfigured',
          `the query ${name} is answered twice, by ${other.service} and ${service}`,
        );
      }
      known.set(name, { service, handler });
    }
  }
  return known;
}

function contextFor(
  principal: Principal,
  { ports, clock, store, registry }: QueryHostOptions,
): QueryContext {
  const { reach } = principal;
  return {
    principal,
    reaches: (tenantId) => reach === 'all' || reach.has(tenantId),
    ports,
    history: (stream, page) => readHistory(store, registry, stream, page),
    log: logReading(store, registry),
    now: () => instantOf(clock.now()),
  };
}

/** What `refuse` makes, and no result that merely has a field of that name. */
function isRefusal(result: unknown): result is ReturnType<typeof refuse> {
  return (
    typeof result === 'object' &&
    result !== null &&
    'kind' in result &&
    result.kind === 'refused' &&
    'refusal' in result
  );
}

function checkResult(service: string, contract: QueryContract, result: unknown): void {
  const parsed = contract.result.safeParse(result);
  if (parsed.success) return;
  throw new RuntimeError(
    'defect',
    `${service} answered ${contract.name} with what does not fit its contract: ${parsed.error.message}`,
  );
}

function isPosition(text: string): boolean {
  try {
    parsePosition(text);
    return true;
  } catch {
    return false;
  }
}

function refused(refusal: Refusal): Refused {
  return { ok: false, refusal };
}

function notYet(): Refusal {
  return refuse(
    'NOT_YET',
    'What you just changed is recorded but not visible here yet. Ask again in a moment.',
    { retryable: true },
  ).refusal;
}

function badPosition(given: string): Refusal {
  return refuse(
    'INVALID_INPUT',
    `${JSON.stringify(given.slice(0, 80))} is not a position. Use one from an earlier answer, unchanged.`,
    { path: ['atLeast'] },
  ).refusal;
}

function badCursor(error: BadCursorError | BadRevisionError): Refusal {
  return refuse('INVALID_INPUT', `${error.message}.`, { path: [error.option] }).refusal;
}
