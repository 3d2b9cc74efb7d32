/**
 * One request from its text to its answer: checked, held against the limits, paid for, executed.
 * Yoga does what is HTTP before and after; its own pipeline of hooks is not used, since each hook
 * of it costs every request.
 */
import {
  type DocumentNode,
  execute,
  type ExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql';
import type { GraphQLParams } from 'graphql-yoga';
import { inSpan } from '@bivouac/infra/tracing';

import { defect, presentable } from '../errors/presentable.ts';
import { requestError } from '../errors/request-error.ts';
import type { GatewayClock } from '../http/authentication.ts';
import type { Budget } from '../limits/budget.ts';
import { costOf } from '../limits/cost.ts';
import type { ChangePort } from '../live/changes.ts';
import type { Subscription, SubscriptionParts } from '../live/subscription.ts';
import type { Subscriptions } from '../live/subscriptions.ts';
import type { Context } from './context.ts';
import type { Documents } from './documents.ts';
import type { AnswerMeasures } from './measures.ts';
import { isMemorable } from './memorable.ts';
import type { Remembered } from './remembered.ts';
import type { GatewayLogger } from './services.ts';
import type { Viewer } from './viewer.ts';

export interface AnswersOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly budget: Budget;
  /** Highest cost of a request, see limits/cost.ts. */
  readonly maxCost: number;
  readonly logger: GatewayLogger;
  readonly clock: GatewayClock;
  readonly machine: GatewayClock;
  readonly subscriptions: Subscriptions;
  readonly changes: ChangePort;
  readonly contextOf: (viewer: Viewer, requestId: string) => Context;
  readonly measures: AnswerMeasures;
  /** Where answers are remembered; nowhere without. */
  readonly remembered: Remembered | undefined;
}

export class Answers {
  readonly #options: AnswersOptions;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /**
   * Never rejects: a defect of ours is logged and answered as one.
   *
   * @param params as Yoga has parsed and checked them: `query` is text, `variables` an object.
   * @param method of HTTP; GET runs queries only.
   */
  async answer(params: GraphQLParams, method: string, context: Context): Promise<ExecutionResult> {
    const answered = this.#options.measures.begin();
    return answered(await this.#answer(params, method, context));
  }

  async #answer(params: GraphQLParams, method: string, context: Context): Promise<ExecutionResult> {
    try {
      const prepared = await this.#prepare(params, method, context);
      if ('errors' in prepared) return prepared;
      if (prepared.kind === OperationTypeNode.SUBSCRIPTION) return { errors: [notStreamed()] };
      return await this.#execute(prepared, params, context);
    } catch (error) {
      return { errors: [defect(error, context.services.requestId, this.#options.logger)] };
    }
  }

  /** The same for who takes server-sent events: a subscription is opened. */
  async stream(
    params: GraphQLParams,
    method: string,
    context: Context,
    reader: Reader,
  ): Promise<ExecutionResult | Subscription> {
    const answered = this.#options.measures.begin();
    return answered(await this.#stream(params, method, context, reader));
  }

  async #stream(
    params: GraphQLParams,
    method: string,
    context: Context,
    reader: Reader,
  ): Promise<ExecutionResult | Subscription> {
    try {
      const prepared = await this.#prepare(params, method, context);
      if ('errors' in prepared) return prepared;
      if (prepared.kind !== OperationTypeNode.SUBSCRIPTION) {
        return await this.#execute(prepared, params, context);
      }
      return await this.#subscribe(prepared, params, context, reader);
    } catch (error) {
      return { errors: [defect(error, context.services.requestId, this.#options.logger)] };
    }
  }

  async #prepare(
    params: GraphQLParams,
    method: string,
    context: Context,
  ): Promise<Prepared | Refused> {
    const { schema, documents, budget, maxCost } = this.#options;
    const { query = '', operationName, variables } = params;
    const checked = documents.check(query);
    if (!checked.ok) return { errors: checked.errors };
    const { document } = checked;
    const operation = getOperationAST(document, operationName);
    if (operation === null || operation === undefined) return { errors: [noOperation()] };
    if (method === 'GET' && operation.operation === OperationTypeNode.MUTATION) {
      return { errors: [mutationByGet()] };
    }
    const cost = costOf(schema, document, operationName, variables);
    const extensions = { cost };
    if (cost > maxCost) return { errors: [tooCostly(cost, maxCost)], extensions };
    const refused = await budget.spend(context.viewer, cost);
    if (refused !== undefined) return { errors: [refused], extensions };
    return { kind: operation.operation, operation, document, cost };
  }

  #execute(prepared: Prepared, params: GraphQLParams, context: Context): Promise<ExecutionResult> {
    const { viewer, services } = context;
    const spec = {
      name: nameOf(prepared.operation),
      kind: 'server' as const,
      attributes: {
        'bivouac.actor': viewer.principal.id,
        'bivouac.tenant': viewer.principal.tenantId,
        'bivouac.correlation': services.correlationId,
        'bivouac.cost': prepared.cost,
      },
      correlationId: services.correlationId,
    };
    return inSpan(spec, async (span) => {
      const result = await this.#answered(prepared, params, context);
      const code = result.errors?.[0]?.extensions['code'];
      if (result.errors !== undefined) span.failed(typeof code === 'string' ? code : 'unknown');
      return result;
    });
  }

  async #answered(
    prepared: Prepared,
    params: GraphQLParams,
    context: Context,
  ): Promise<ExecutionResult> {
    const { schema, remembered } = this.#options;
    if (remembered === undefined) return this.#run(prepared, params, context);
    const { viewer, services } = context;
    const place = isMemorable(schema, prepared.document, params.operationName)
      ? remembered.placeOf(params, viewer)
      : undefined;
    const data = place && (await remembered.find(place, viewer, services));
    if (data !== undefined) return { data, extensions: { cost: prepared.cost } };
    const answer = await this.#run(prepared, params, context);
    remembered.tell(viewer, services.newest);
    if (place !== undefined && answer.errors === undefined) {
      remembered.keep(place, answer.data, services);
    }
    return answer;
  }

  async #run(
    { document, cost }: Prepared,
    { operationName, variables }: GraphQLParams,
    context: Context,
  ): Promise<ExecutionResult> {
    const { schema, logger } = this.#options;
    const extensions = { cost };
    const { data, errors } = await execute({
      schema,
      document,
      contextValue: context,
      variableValues: variables,
      operationName,
    });
    if (errors === undefined) return { data: data ?? null, extensions };
    const { requestId } = context.services;
    const shown = errors.map((error) => presentable(error, requestId, logger));
    return data === undefined ? { errors: shown, extensions } : { data, errors: shown, extensions };
  }

  async #subscribe(
    { document, cost }: Prepared,
    { operationName, variables }: GraphQLParams,
    { viewer, services }: Context,
    reader: Reader,
  ): Promise<Subscription | ExecutionResult> {
    const { schema, budget, clock, machine, logger, subscriptions, changes, contextOf } =
      this.#options;
    const { requestId } = services;
    const opened = await subscriptions.open(viewer, {
      ...{ schema, document, operationName, variables, cost, budget, clock, logger, changes },
      machine,
      ...{ requestId, ...reader },
      contextOf: (now) => contextOf(now, requestId),
    });
    return opened instanceof GraphQLError ? { errors: [opened], extensions: { cost } } : opened;
  }
}

/** Who a subscription is for. */
export interface Reader {
  /** Where it had got to before it was cut off. */
  readonly resumeAt: string | undefined;
  /** Who its key belongs to by now. */
  readonly recheck: SubscriptionParts['recheck'];
}

interface Prepared {
  readonly kind: OperationTypeNode;
  readonly operation: OperationDefinitionNode;
  readonly document: DocumentNode;
  readonly cost: number;
}

/** Of the schema's words alone: what a client calls its operations is the client's. */
function nameOf({ operation, selectionSet }: OperationDefinitionNode): string {
  const [first, ...more] = selectionSet.selections;
  const field = first?.kind === Kind.FIELD ? ` ${first.name.value}` : '';
  return `${operation}${field}${more.length > 0 ? ' …' : ''}`;
}

interface Refused extends ExecutionResult {
  readonly errors: readonly GraphQLError[];
}

function notStreamed(): GraphQLError {
  return requestError(
    'BAD_REQUEST',
    'A subscription is answered by server-sent events. Send it with `Accept: text/event-stream`.',
    { http: { status: 406 } },
  );
}

function noOperation(): GraphQLError {
  return requestError(
    'BAD_REQUEST',
    'Which operation is to run cannot be told: name one of the document’s in operationName.',
  );
}

function mutationByGet(): GraphQLError {
  return requestError('BAD_REQUEST', 'A mutation is not run by GET. Send it by POST.', {
    http: { status: 405, headers: { allow: 'POST' } },
  });
}

function tooCostly(cost: number, limit: number): GraphQLError {
  return requestError(
    'COST_LIMIT',
    `The request costs ${cost}; at most ${limit} is answered. Ask for shorter pages or fewer things at once.`,
    { cost, limit },
  );
}
