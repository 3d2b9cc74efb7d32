/**
 * Every code a mutation or an operation can be refused with: the type it is answered as, when it
 * comes and what to do. The schema's enum and the table in docs/errors.md are made from this list.
 */

/** The types of errors of the schema. */
export type UserErrorType =
  | 'ValidationFailed'
  | 'NotFound'
  | 'NotAllowed'
  | 'QuotaExceeded'
  | 'IdempotencyConflict'
  | 'Contention'
  | 'StateConflict'
  | 'Unavailable'
  | 'RefusedError';

export interface CodeEntry {
  readonly type: UserErrorType;
  /** When it comes. */
  readonly when: string;
  /** What to do about it. */
  readonly remedy: string;
}

function list(type: UserErrorType, codes: Readonly<Record<string, readonly [string, string]>>) {
  return Object.entries(codes).map(([code, [when, remedy]]): readonly [string, CodeEntry] => [
    code,
    { type, when, remedy },
  ]);
}

/** Codes by name, in the order of the schema. */
export const codes: ReadonlyMap<string, CodeEntry> = new Map([
  ...list('ValidationFailed', {
    INVALID_INPUT: ['A field does not fit its schema.', 'Correct the field that `path` names.'],
    TOO_LARGE: ['The input would make an event beyond the limits.', 'Send less at once.'],
    TOO_MUCH: ['More is asked for at once than may be.', 'Send less at once.'],
  }),
  ...list('NotFound', {
    NOT_FOUND: ['There is no such thing, or it is not yours.', 'Check the id.'],
    OPERATION_UNKNOWN: ['There is no such operation, or it is not yours.', 'Check the id.'],
  }),
  ...list('NotAllowed', {
    NOT_ALLOWED: ['Your role does not allow it.', 'Ask somebody who may do it.'],
    FORBIDDEN: ['Your role does not allow it.', 'Ask somebody who may do it.'],
  }),
  ...list('QuotaExceeded', {}),
  ...list('IdempotencyConflict', {
    IDEMPOTENCY_CONFLICT: [
      'The idempotencyKey was used before with other input.',
      'Take a new key for a new wish; send the same input to get the first result again.',
    ],
  }),
  ...list('Contention', {
    CONTENTION: [
      'Others kept changing the same thing; nothing was done.',
      'Send the same again, with the same key.',
    ],
  }),
  ...list('StateConflict', {
    OPERATION_ENDED: ['The operation has ended.', 'Nothing; look at its outcome.'],
    OPERATION_CANNOT_BE_CANCELLED: [
      'The operation is past the point where it can be undone.',
      'Wait for its end, then order the opposite.',
    ],
  }),
  ...list('Unavailable', {
    UNAVAILABLE: [
      'A store or service cannot be reached; nothing was done.',
      'Send the same again, with the same key.',
    ],
    OUTCOME_UNKNOWN: [
      'It may or may not have been done.',
      'Send the same again, with the same key: it gives the one result.',
    ],
    SHUTTING_DOWN: ['This replica is stopping.', 'Send the same again, with the same key.'],
  }),
  ...list('RefusedError', {
    OTHER: [
      'A service refused with a code this gateway does not know; `reason` has it.',
      'Read the message.',
    ],
  }),
]);
