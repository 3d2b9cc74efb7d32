/**
 * Holds requests against the limits and gives every error a stable code. What a resolver throws
 * that is not meant for the caller is logged and masked; the request id leads to the log.
 */
import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  parse,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';

import { requestError } from '../errors/request-error.ts';
import type { Context } from '../request/context.ts';
import type { GatewayLogger } from '../request/services.ts';
import { costOf } from './cost.ts';
import { shapeRule } from './shape.ts';

export interface Limits {
  /** Lexical tokens of a document. */
  readonly maxTokens: number;
  readonly maxDepth: number;
  readonly maxAliases: number;
  /** See limits/cost.ts. */
  readonly maxCost: number;
}

/** The Yoga plugin. */
export function limitsPlugin(
  schema: GraphQLSchema,
  limits: Limits,
  logger: GatewayLogger,
): Plugin<Context> {
  const rule = shapeRule(limits);
  const parseBounded: typeof parse = (source, options) => {
    try {
      return parse(source, { ...options, maxTokens: limits.maxTokens });
    } catch (error) {
      throw error instanceof GraphQLError ? parseError(error, limits.maxTokens) : error;
    }
  };

  return {
    onParse: ({ setParseFn }) => {
      setParseFn(parseBounded);
    },
    onValidate: ({ addValidationRule }) => {
      addValidationRule(rule);
    },
    onExecute: ({ args: untyped, setResultAndStopExecution }) => {
      const args = untyped as TypedArgs;
      const cost = costOf(schema, args.document, args.operationName, args.variableValues);
      if (cost > limits.maxCost) {
        setResultAndStopExecution({
          errors: [
            requestError(
              'COST_LIMIT',
              `The request costs ${cost}; at most ${limits.maxCost} is answered. Ask for shorter pages or fewer things at once.`,
              { cost, limit: limits.maxCost },
            ),
          ],
          extensions: { cost },
        });
        return undefined;
      }
      const { requestId } = args.contextValue.services;
      return {
        onExecuteDone: ({ result, setResult }) => {
          if (Symbol.asyncIterator in result) return;
          const { data, errors, extensions } = result as ExecutionResult;
          setResult({
            ...(data === undefined ? {} : { data }),
            ...(errors === undefined
              ? {}
              : { errors: errors.map((error) => presentable(error, requestId, logger)) }),
            extensions: { ...extensions, cost },
          });
        },
      };
    },
  };
}

/** Envelop leaves most arguments of the executor untyped. */
interface TypedArgs {
  readonly document: DocumentNode;
  readonly operationName?: string | null;
  readonly variableValues?: Readonly<Record<string, unknown>> | null;
  readonly contextValue: Context;
}

/** An error as the caller may see it. */
function presentable(error: GraphQLError, requestId: string, logger: GatewayLogger): GraphQLError {
  if (typeof error.extensions['code'] === 'string' && isOurs(error)) return error;
  if (isOurs(error) && isAboutInput(error)) {
    return requestError('INVALID_ARGUMENT', error.message, {}, placeOf(error));
  }
  logger.error(
    { err: error.originalError ?? error, path: error.path, requestId },
    'a request met a defect of ours',
  );
  return requestError(
    'INTERNAL',
    `Something went wrong on our side. It is logged under the request id ${requestId}.`,
    { requestId },
    placeOf(error),
  );
}

/** Made as a GraphQL error, by us or by the executor; not something that was thrown and wrapped. */
export function isOurs(error: GraphQLError): boolean {
  const { originalError } = error;
  return (
    originalError === undefined ||
    originalError === null ||
    (originalError instanceof GraphQLError && isOurs(originalError))
  );
}

/** The executor complains about variables before any field, and about arguments by name. */
function isAboutInput(error: GraphQLError): boolean {
  return error.path === undefined || error.message.startsWith('Argument "');
}

function placeOf(error: GraphQLError) {
  return {
    ...(error.nodes === undefined ? {} : { nodes: error.nodes }),
    ...(error.path === undefined ? {} : { path: error.path }),
  };
}

function parseError(error: GraphQLError, maxTokens: number): GraphQLError {
  const place = {
    ...(error.source === undefined ? {} : { source: error.source }),
    ...(error.positions === undefined ? {} : { positions: error.positions }),
  };
  return error.message.includes('tokens. Parsing aborted')
    ? requestError(
        'TOKEN_LIMIT',
        `The document has more than ${maxTokens} tokens; nothing of it was run. Split it.`,
        { limit: maxTokens },
        place,
      )
    : requestError('GRAPHQL_PARSE_FAILED', error.message, {}, place);
}
