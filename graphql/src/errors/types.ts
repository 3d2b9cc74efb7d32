/** The error types of the schema, one for each thing a program does differently about an error. */
import { builder } from '../language/builder.ts';
import { type UserErrorType } from './codes.ts';
import type { InputProblem } from './input-names.ts';
import { UserErrorRef, type UserErrorValue } from './user-error.ts';

const ProblemRef = builder.objectRef<InputProblem>('InputProblem').implement({
  description: 'One thing that is wrong with an input.',
  fields: (t) => ({
    path: t.exposeStringList('path', { description: 'The field, as in the mutation’s input.' }),
    message: t.exposeString('message', { description: 'What is expected there.' }),
  }),
});

function errorType(name: UserErrorType, description: string) {
  return builder
    .objectRef<UserErrorValue>(name)
    .implement({ description, interfaces: [UserErrorRef] });
}

const ValidationFailed = builder.objectRef<UserErrorValue>('ValidationFailed').implement({
  description: 'The input cannot be accepted as it is. Correct it; nothing was done.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    problems: t.expose('problems', {
      type: [ProblemRef],
      description: 'Everything that is wrong; `path` and `message` tell the first.',
      extensions: { size: 2 },
    }),
  }),
});

const QuotaExceeded = builder.objectRef<UserErrorValue>('QuotaExceeded').implement({
  description: 'It would go beyond a limit of the account or of one above it.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    resource: t.string({
      nullable: true,
      description: 'What is short, e.g. `containers` or `memoryBytes`.',
      resolve: (error) => textOf(error.details['axis'] ?? error.details['resource']),
    }),
    limit: t.field({
      type: 'Int64',
      nullable: true,
      description: 'How much there may be.',
      resolve: (error) => textOf(error.details['limit']),
    }),
    used: t.field({
      type: 'Int64',
      nullable: true,
      description: 'How much is taken already.',
      resolve: (error) => textOf(error.details['used']),
    }),
    asked: t.field({
      type: 'Int64',
      nullable: true,
      description: 'How much was asked for on top.',
      resolve: (error) => textOf(error.details['asked']),
    }),
  }),
});

const VersionConflict = builder.objectRef<UserErrorValue>('VersionConflict').implement({
  description: 'It has changed since the `expectedVersion`. Read it again and decide anew.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    actualVersion: t.field({
      type: 'Revision',
      nullable: true,
      description: 'The version it has now.',
      resolve: (error) => textOf(error.details['actual']),
    }),
  }),
});

const RefusedError = builder.objectRef<UserErrorValue>('RefusedError').implement({
  description: 'Refused for a reason this schema has no type for; `reason` has the stable code.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    reason: t.exposeString('reason', { description: 'The stable code the service gave.' }),
  }),
});

/** Every error type; each mutation's union has them all, since any service may answer any. */
export const errorTypes = [
  ValidationFailed,
  errorType('NotFound', 'What the input names does not exist, or is not yours.'),
  errorType('NotAllowed', 'Your role or a hold does not allow it.'),
  QuotaExceeded,
  errorType('OutOfCapacity', 'No node or pool has room there. Try another location, or later.'),
  errorType(
    'IdempotencyConflict',
    'The key was used before with other input. Take a new key for a new wish.',
  ),
  VersionConflict,
  errorType('Contention', 'Others kept changing the same thing. Send the same again.'),
  errorType('StateConflict', 'What it is about is in a state that does not allow it.'),
  errorType('Unavailable', 'A store or service cannot be reached. Send the same again.'),
  RefusedError,
] as const;

function textOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : null;
}
