/**
 * Errors of a whole request: what the caller's program has to change, never its user. They stand in
 * the top-level `errors` with a stable `extensions.code`; see docs/errors.md.
 */
import { GraphQLError, type GraphQLErrorOptions } from 'graphql';

/** Every code a top-level error can have, with the HTTP status where it ends the request. */
export const requestErrorStatus = {
  /** No key, or one that is unknown, expired or revoked, or accounts did not answer in time. */
  UNAUTHENTICATED: 401,
  /** The key is valid, its rights do not allow this. */
  FORBIDDEN: undefined,
  /** The body is larger than the gateway reads. */
  BODY_TOO_LARGE: 413,
  /** The request is no GraphQL request: wrong media type, method or shape. */
  BAD_REQUEST: 400,
  /** The document is no GraphQL. */
  GRAPHQL_PARSE_FAILED: 400,
  /** The document does not fit the schema. */
  GRAPHQL_VALIDATION_FAILED: 400,
  TOKEN_LIMIT: 400,
  DEPTH_LIMIT: 400,
  ALIAS_LIMIT: 400,
  COST_LIMIT: 400,
  /** The account has used up its bucket of cost units; `extensions.retryAfter` says when to come back. */
  RATE_LIMITED: 429,
  /** The account has as many subscriptions open as it may. */
  SUBSCRIPTION_LIMIT: 429,
  /** What is to be followed does not exist or is out of reach: the two are not told apart. */
  NOT_FOUND: undefined,
  /** An argument has the right type and a value that cannot be used. */
  INVALID_ARGUMENT: undefined,
  /** An id is malformed or names a thing of another kind. */
  INVALID_ID: undefined,
  /** The read models have not yet applied the position asked for. */
  NOT_YET: undefined,
  /** A service cannot be reached; the same request may succeed later. */
  UNAVAILABLE: undefined,
  /** A service refused a query for a reason of its own, which is in `extensions.reason`. */
  REFUSED: undefined,
  /** A defect of ours; `extensions.requestId` names it in our logs. */
  INTERNAL: undefined,
} as const;

export type RequestErrorCode = keyof typeof requestErrorStatus;

/** How an error shows in HTTP; it is no part of the body. */
interface Http {
  /** Another than the code's own. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Under `application/json` it is answered with 200 all the same. */
  readonly spec?: boolean;
}

/** A top-level error with a stable code. */
export function requestError(
  code: RequestErrorCode,
  message: string,
  { http, ...facts }: { readonly http?: Http } & Readonly<Record<string, unknown>> = {},
  options: Pick<GraphQLErrorOptions, 'nodes' | 'path' | 'source' | 'positions'> = {},
): GraphQLError {
  const status = requestErrorStatus[code];
  const shown = { ...(status === undefined ? {} : { status }), ...http };
  return new GraphQLError(message, {
    ...options,
    extensions: { code, ...facts, ...(Object.keys(shown).length === 0 ? {} : { http: shown }) },
  });
}
