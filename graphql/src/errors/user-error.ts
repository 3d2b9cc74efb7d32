/**
 * Errors a user can do something about: answered as data, in the union of each mutation. All share
 * the interface `UserError`; what a program decides by is the type or the code, never the message.
 */
import type { Refusal } from '@bivouac/events/language';

import { builder } from '../language/builder.ts';
import { codes, type UserErrorType } from './codes.ts';
import {
  type FieldNames,
  inputPath,
  type InputProblem,
  problemsOf,
  sentenceOf,
} from './input-names.ts';

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
  /** Everything that is wrong with the input, where that is what it is about. */
  readonly problems: readonly InputProblem[];
}

/** A refusal of a command as the error type its code belongs to, with the mutation's own paths. */
export function userError(refusal: Refusal, names: FieldNames = {}): UserErrorValue {
  const path = refusal.path === undefined ? null : inputPath(refusal.path, names);
  const message = sentenceOf(refusal, path ?? []);
  const listed = problemsOf(refusal);
  const all = listed.length > 0 ? listed : [{ path: refusal.path ?? [], message }];
  return {
    ...outcomeError(refusal),
    message,
    path,
    problems: all.map((problem) => ({ ...problem, path: inputPath(problem.path, names) })),
  };
}

/** Why an operation or a step came to nothing. Its path is not one of anybody's input. */
export function outcomeError(refusal: Refusal): UserErrorValue {
  const entry = codes.get(refusal.code);
  return {
    __typename: entry?.type ?? 'RefusedError',
    code: entry === undefined ? 'OTHER' : refusal.code,
    message: refusal.message,
    path: null,
    retryable: refusal.retryable ?? false,
    reason: refusal.code,
    details: refusal.details ?? {},
    problems: [],
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
    details: {},
    problems: [{ path, message }],
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
    problems: [],
  };
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
