/**
 * One request from its text to its answer: checked, held against the limits, paid for, executed.
 * Yoga does what is HTTP before and after; its own pipeline of hooks is not used, since each hook
 * of it costs every request.
 */
import {
  execute,
  type ExecutionResult,
  getOperationAST,
  type GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
} from 'graphql';
import type { GraphQLParams } from 'graphql-yoga';

import { defect, presentable } from '../errors/presentable.ts';
import { requestError } from '../errors/request-error.ts';
import type { Budget } from '../limits/budget.ts';
import { costOf } from '../limits/cost.ts';
import type { Context } from './context.ts';
import type { Documents } from './documents.ts';
import type { GatewayLogger } from './services.ts';

export interface AnswersOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly budget: Budget;
  /** Highest cost of a request, see limits/cost.ts. */
  readonly maxCost: number;
  readonly logger: GatewayLogger;
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
    try {
      return await this.#answer(params, method, context);
    } catch (error) {
      return { errors: [defect(error, context.services.requestId, this.#options.logger)] };
    }
  }

  async #answer(params: GraphQLParams, method: string, context: Context): Promise<ExecutionResult> {
    const { schema, documents, budget, maxCost, logger } = this.#options;
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
