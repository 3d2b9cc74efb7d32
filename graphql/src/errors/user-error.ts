/**
 * Errors a user can do something about: answered as data, in the union of each mutation. All share
 * the interface `UserError`; what a program decides by is the type or the code, never the message.
 */
import type { Refusal } from '@bivouac/events/language';

import { builder } from '../language/builder.ts';
import { codes, type UserErrorType } from './codes.ts';

/** A refusal on its way to the caller. */
export interface UserErrorValue {
  readonly __typename: UserErrorType;
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[] | null;
  readonly retryable: boolean;
  /** The service's own code, also where the schema does not know it. */
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** How a service's field names map to the mutation's: what is not named keeps its name. */
export type FieldNames = Readonly<Record<string, string>>;

/** A refusal as the error type its code belongs to. `path` becomes one of the mutation's input. */
export function userError(refusal: Refusal, names: FieldNames = {}): UserErrorValue {
  const entry = codes.get(refusal.code);
  return {
    __typename: entry?.type ?? 'RefusedError',
    code: entry === undefined ? 'OTHER' : refusal.code,
    message: refusal.message,
    path: inputPath(refusal.path, names),
    retryable: refusal.retryable ?? false,
    reason: refusal.code,
    details: refusal.details ?? {},
  };
}

/** A field the gateway itself cannot accept. */
export function validationFailed(path: readonly string[], message: string): UserErrorValue {
  return {
    __typename: 'ValidationFailed',
    code: 'INVALID_INPUT',
    message,
    path,
    retryable: false,
    reason: 'INVALID_INPUT',
    details: { problems: [{ path, message }] },
  };
}

/** What is missing, or is not the caller's: the two are not told apart. */
export function notFound(path: readonly string[], what: string): UserErrorValue {
  return {
    __typename: 'NotFound',
    code: 'NOT_FOUND',
    message: `There is no such ${what}, or it is not yours; check the id.`,
    path,
    retryable: false,
    reason: 'NOT_FOUND',
    details: {},
  };
}

/** Services speak of tenants where the schema says account, and wrap orders and inputs. */
const always: FieldNames = { tenantId: 'accountId', planCode: 'plan' };
const wrappers = new Set(['input', 'order']);

function inputPath(
  path: readonly string[] | undefined,
  names: FieldNames,
): readonly string[] | null {
  if (path === undefined) return null;
  if (path.length === 1 && path[0] === 'idempotencyKey') return path;
  const inner = [...path];
  while (inner[0] !== undefined && wrappers.has(inner[0])) inner.shift();
  return ['input', ...inner.map((part) => names[part] ?? always[part] ?? part)];
}

const ErrorCode = builder.enumType('ErrorCode', {
  description: 'Stable codes of errors. New ones may be added: have a default branch.',
  values: Object.fromEntries(
    [...codes].map(([code, { when, remedy }]) => [code, { description: `${when} ${remedy}` }]),
  ),
});

export const UserErrorRef = builder.interfaceRef<UserErrorValue>('UserError').implement({
  description: 'An error somebody can do something about.',
  resolveType: (value) => value.__typename,
  fields: (t) => ({
    code: t.expose('code', { type: ErrorCode, description: 'What is wrong, stable.' }),
    message: t.exposeString('message', {
      description: 'What is wrong and what to do about it, for a person. Its wording may change.',
    }),
    path: t.expose('path', {
      type: ['String'],
      nullable: true,
      description: 'The argument or input field concerned, e.g. `["input", "hostname"]`.',
    }),
    retryable: t.exposeBoolean('retryable', {
      description: 'The same request, unchanged, may succeed later.',
    }),
  }),
});
