/** The gateway: GraphQL over HTTP for everything the services can be asked. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Position, ServiceCaller } from '@bivouac/events/language';
import { type Metrics, noMetrics } from '@bivouac/infra/runtime';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { createYoga, type OnParamsEventPayload, type Plugin } from 'graphql-yoga';

import { masked } from './errors/presentable.ts';
import { requestError } from './errors/request-error.ts';
import { Authentication, type GatewayClock } from './http/authentication.ts';
import { Arrivals, type Arrived, isPosition } from './http/early.ts';
import { graphiqlPage } from './http/graphiql.ts';
import { PlainRequests } from './http/plain.ts';
import { playground } from './http/playground.ts';
import { Budget, type BudgetOptions } from './limits/budget.ts';
import type { ChangePort } from './live/changes.ts';
import { eventStream } from './live/event-stream.ts';
import { type SeatCache, Seats } from './live/seats.ts';
import { Subscription } from './live/subscription.ts';
import { Subscriptions } from './live/subscriptions.ts';
import { Answers } from './request/answers.ts';
import { answerMeasures } from './request/measures.ts';
import type { Context } from './request/context.ts';
import { Documents } from './request/documents.ts';
import { Remembered, type RememberedOptions } from './request/remembered.ts';
import { type GatewayLogger, Services } from './request/services.ts';
import type { Viewer } from './request/viewer.ts';
import { schema } from './schema.ts';

type OnParams = OnParamsEventPayload<Arrived>;
type OnResult = Parameters<NonNullable<Plugin<object, Arrived>['onResultProcess']>>[0];

export interface GatewayOptions {
  /** Path the gateway answers on; `/graphql`. */
  readonly endpoint?: string;
  /** Whether a browser gets GraphiQL there; it does. */
  readonly graphiql?: boolean;
  /** Largest body in bytes; 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Most lexical tokens of a document; 2,000. */
  readonly maxTokens?: number;
  /** Most fields within fields; 15. */
  readonly maxDepth?: number;
  /** Most aliases of an operation; 30. */
  readonly maxAliases?: number;
  /** Highest cost of a request, see docs/graphql.md; 5,000. */
  readonly maxCost?: number;
  /** Most subscriptions of an account at once; 20. */
  readonly maxSubscriptions?: number;
  /** Most subscriptions of all accounts at once; 2,000. */
  readonly maxSubscriptionsOfAll?: number;
  /** How long a key's answer is remembered, in milliseconds; 2,000, which is also the most. */
  readonly rememberKeysMs?: number;
  /** How long accounts have to say who a key belongs to, in milliseconds; 5,000. */
  readonly authenticationDeadlineMs?: number;
  /** Ids for requests that bring none. */
  readonly newRequestId?: () => string;
}

export interface GatewayParts {
  readonly caller: ServiceCaller;
  /** Tells when to look for changes of what is followed. */
  readonly changes: ChangePort;
  readonly clock: GatewayClock;
  /** The machine's time, by which read models are waited for whatever time is told; `clock` unless given. */
  readonly machine?: GatewayClock;
  readonly logger: GatewayLogger;
  /** What accounts may ask, and where it is counted. */
  readonly budget: BudgetOptions;
  readonly metrics?: Metrics;
  /** Where gateways count together what an account follows; this one counts by itself without. */
  readonly seats?: SeatCache | undefined;
  /** Where answers are remembered, and up to where the log is known; nowhere without. */
  readonly remembered?: RememberedOptions | undefined;
  readonly options?: GatewayOptions;
}

export interface Gateway {
  readonly schema: GraphQLSchema;
  /** For tests and for hosts that speak fetch. */
  readonly yoga: { fetch(url: string | URL, init?: RequestInit): Promise<Response> };
  /** For `http.createServer`. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Ends every subscription and takes no more: before the server waits for its connections. */
  endSubscriptions(): void;
  /** How many subscriptions are open. */
  readonly subscriptions: number;
  /** Frees what the gateway holds. Requests under way are the server's to wait for. */
  dispose(): Promise<void>;
}

/** Makes the gateway of a process. It reaches the services by `caller` alone. */
export function createGateway({
  caller,
  changes,
  clock,
  machine = clock,
  logger,
  budget,
  seats,
  metrics = noMetrics,
  remembered,
  options = {},
}: GatewayParts): Gateway {
  const contextOf = (viewer: Viewer, requestId: string, atLeast?: Position): Context => ({
    viewer,
    services: new Services({
      caller,
      principal: viewer.principal,
      requestId,
      acting: viewer.acting,
      logger,
      atLeast,
    }),
  });
  const arrivals = new Arrivals({
    authentication: new Authentication({
      caller,
      clock,
      logger,
      rememberMs: options.rememberKeysMs ?? 2000,
      deadlineMs: options.authenticationDeadlineMs ?? 5000,
    }),
    maxBodyBytes: options.maxBodyBytes ?? 1024 * 1024,
    newRequestId: options.newRequestId ?? randomUUID,
    contextOf,
  });
  const subscriptions = new Subscriptions(
    {
      perAccount: options.maxSubscriptions ?? 20,
      total: options.maxSubscriptionsOfAll ?? 2000,
    },
    seats && new Seats({ cache: seats, machine }),
  );
  const answers = new Answers({
    schema,
    documents: new Documents(schema, {
      maxTokens: options.maxTokens ?? 2000,
      maxDepth: options.maxDepth ?? 15,
      maxAliases: options.maxAliases ?? 30,
    }),
    budget: new Budget(budget),
    maxCost: options.maxCost ?? 5000,
    logger,
    clock,
    machine,
    subscriptions,
    changes,
    measures: answerMeasures(metrics, () => subscriptions.size),
    contextOf,
    remembered: remembered && new Remembered(schema, remembered),
  });
  const endpoint = options.endpoint ?? '/graphql';
  const yoga = createYoga<Arrived>({
    schema,
    graphqlEndpoint: endpoint,
    graphiql: options.graphiql === false ? false : playground,
    renderGraphiQL: graphiqlPage(),
    landingPage: false,
    // Keys are sent by programs; a foreign page has no business here.
    cors: false,
    multipart: false,
    batching: false,
    // Ours counts the length before anything is read (http/early.ts).
    maxRequestBodySize: false,
    // Ours remembers documents (request/documents.ts).
    parserAndValidationCache: false,
    maskedErrors: { maskError: masked },
    logging: {
      debug: () => undefined,
      info: () => undefined,
      warn: (...args: unknown[]) => logger.warn(told(args), 'yoga'),
      error: (...args: unknown[]) => logger.error(told(args), 'yoga'),
    },
    plugins: [arrivals.plugin(), { onParams, onResultProcess }],
  });
  const answer: OnParams['paramsHandler'] = ({ params, request, context: { entered } }) => {
    // Every way into Yoga leads through onRequest; one that does not must not get data.
    if (entered === undefined || entered instanceof GraphQLError) throw new Error('nobody entered');
    if (!acceptsEvents(request)) return answers.answer(params, request.method, entered);
    const lastEventId = request.headers.get('last-event-id');
    const resumeAt = lastEventId === null || lastEventId === '' ? undefined : lastEventId;
    if (resumeAt !== undefined && !isPosition(resumeAt)) return { errors: [badLastEventId()] };
    const { requestId } = entered.services;
    return answers.stream(params, request.method, entered, {
      resumeAt,
      recheck: () => arrivals.again(request.headers, requestId),
    });
  };
  /** Yoga's own events have no ids, and its signs of life come by the machine's clock. */
  function onResultProcess(hook: OnResult): void {
    const { result } = hook;
    if (!(result instanceof Subscription)) return;
    hook.setResultProcessor((_, fetchAPI) => eventStream(result, fetchAPI), 'text/event-stream');
  }
  function onParams({ context, setResult, setParamsHandler }: OnParams): void {
    if (context.answer === undefined) setParamsHandler(answer);
    else setResult(context.answer);
  }
  const plain = new PlainRequests({ endpoint, arrivals, answers, yoga });
  return {
    schema,
    yoga: { fetch: async (url, init) => yoga.fetch(String(url), init ?? {}) },
    handle: (request, response) => plain.handle(request, response),
    endSubscriptions: () => {
      subscriptions.stop();
    },
    get subscriptions() {
      return subscriptions.size;
    },
    dispose: async () => {
      subscriptions.stop();
      await yoga.dispose();
    },
  };
}

/** What yoga says, with errors as text: as values they would be logged empty. */
function told(args: readonly unknown[]): { readonly said: readonly string[] } {
  return {
    said: args.map((arg) => (arg instanceof Error ? (arg.stack ?? arg.message) : String(arg))),
  };
}

function acceptsEvents(request: Request): boolean {
  return /\btext\/event-stream\b/i.test(request.headers.get('accept') ?? '');
}

function badLastEventId(): GraphQLError {
  return requestError(
    'BAD_REQUEST',
    'The header Last-Event-ID is no position: expected the id of an earlier event, or leave it out.',
  );
}
