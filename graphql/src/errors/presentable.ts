/**
 * Errors as the caller may see them: each with a stable code, and nothing of what a resolver threw
 * that was not meant for the caller. That is logged; the request id leads to the log.
 */
import { GraphQLError } from 'graphql';

import type { GatewayLogger } from '../request/services.ts';
import { requestError } from './request-error.ts';

/** An error of an execution as the caller may see it. */
export function presentable(
  error: GraphQLError,
  requestId: string,
  logger: GatewayLogger,
): GraphQLError {
  if (typeof error.extensions['code'] === 'string' && isOurs(error)) return error;
  if (isOurs(error) && isAboutInput(error)) {
    return requestError('INVALID_ARGUMENT', error.message, {}, placeOf(error));
  }
  const { path } = error;
  logger.error({ err: error.originalError ?? error, path, requestId }, MET);
  return requestError('INTERNAL', logged(requestId), { requestId }, placeOf(error));
}

/** What went wrong with a whole request, as the caller may see it. */
export function defect(err: unknown, requestId: string, logger: GatewayLogger): GraphQLError {
  logger.error({ err, requestId }, MET);
  return requestError('INTERNAL', logged(requestId), { requestId, http: { status: 500 } });
}

const MET = 'a request met a defect of ours';

function logged(requestId: string): string {
  return `Something went wrong on our side. It is logged under the request id ${requestId}.`;
}

/** What goes wrong before a request is read. Yoga logs it. */
export function masked(error: unknown): Error {
  if (error instanceof GraphQLError && (error.path !== undefined || isOurs(error))) return error;
  return requestError('INTERNAL', 'Something went wrong on our side. Send the request again.', {
    http: { status: 500 },
  });
}

/** Made as a GraphQL error, by us or by the executor; not something that was thrown and wrapped. */
function isOurs(error: GraphQLError): boolean {
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
