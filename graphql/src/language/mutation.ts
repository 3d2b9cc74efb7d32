/**
 * How a mutation is declared: input and idempotencyKey in; out comes one union of the payload and
 * the error types. A service's refusal becomes one of those, never a top-level error.
 */
import type { CommandReply } from '@bivouac/events/language';
import type { ArgBuilder, InputObjectRef, ObjectRef } from '@pothos/core';

import { errorTypes } from '../errors/types.ts';
import type { FieldNames } from '../errors/input-names.ts';
import { userError, type UserErrorValue, validationFailed } from '../errors/user-error.ts';
import type { Context } from '../request/context.ts';
import { builder, type SchemaTypes } from './builder.ts';

/** What every payload says about the command behind it. */
export interface Payload {
  readonly __typename: string;
  readonly position: string | null;
  readonly repeated: boolean;
}

export const PayloadRef = builder.interfaceRef<Payload>('MutationPayload').implement({
  description: 'What a mutation answers where it was done.',
  resolveType: (value) => value.__typename,
  fields: (t) => ({
    position: t.expose('position', {
      type: 'Position',
      nullable: true,
      description: 'Where the change stands in the log; null where everything was so already.',
    }),
    repeated: t.exposeBoolean('repeated', {
      description: 'This idempotencyKey was answered before; this is the first answer again.',
    }),
  }),
});

/** A service's reply, or an error the gateway found before asking. */
export type Answer<R> = CommandReply<R> | UserErrorValue;

const MAX_KEY = 200;

/**
 * Declares a mutation.
 *
 * @param spec.act gives the command; `key` is the caller's idempotencyKey.
 * @param spec.payload the payload's facts from the command's result.
 */
export function mutation<I extends object, R, P extends Payload>(
  name: string,
  spec: {
    readonly description: string;
    readonly input: InputObjectRef<SchemaTypes, I>;
    readonly type: ObjectRef<SchemaTypes, P>;
    readonly act: (input: I, key: string, context: Context) => Promise<Answer<R>>;
    readonly payload: (result: R, input: I) => Omit<P, keyof Payload>;
    /** How the service's field names map to the input's, where they differ. */
    readonly names?: FieldNames;
    /** Whether it can be bound to the version of the object, which is its command's stream. */
    readonly versioned?: boolean;
  },
): void {
  const Result = builder.unionType(`${capital(name)}Result`, {
    description: `What ${name} answers: its payload, or an error as data.`,
    types: [spec.type as ObjectRef<SchemaTypes, Payload>, ...errorTypes],
    resolveType: (value) => value.__typename,
  });
  // Its own shape is `act`'s business; Pothos would carry it into every type of the field.
  const inputRef: InputObjectRef<SchemaTypes, object> = spec.input;
  builder.mutationField(name, (t) =>
    t.field({
      type: Result,
      description: spec.description,
      extensions: { cost: 10 },
      args: {
        input: t.arg({
          type: inputRef,
          description: 'What is asked for.',
        }),
        idempotencyKey: t.arg.string({
          description:
            'Chosen by you, new for each wish, 1 to 200 characters. Send the same again after a ' +
            'lost answer: the same key with the same input gives the first result.',
        }),
        ...(spec.versioned === true ? { expectedVersion: expectedVersion(t.arg) } : {}),
      },
      resolve: async (_root, args, context): Promise<Payload | UserErrorValue> => {
        const { idempotencyKey } = args;
        // The schema has checked the input against its own type.
        const input = args.input as I;
        if (idempotencyKey.trim() === '' || idempotencyKey.length > MAX_KEY) {
          return validationFailed(
            ['idempotencyKey'],
            `The idempotencyKey has ${idempotencyKey.length} characters; take 1 to ${MAX_KEY}, e.g. a UUID.`,
          );
        }
        context.services.expect(args.expectedVersion);
        const answer = await spec.act(input, idempotencyKey, context);
        context.services.expect(undefined);
        if ('__typename' in answer) return answer;
        if (!answer.ok) return userError(answer.refusal, spec.names);
        return {
          ...spec.payload(answer.result, input),
          __typename: spec.type.name,
          position: answer.position ?? null,
          repeated: answer.repeated,
        };
      },
    }),
  );
}

function expectedVersion(arg: ArgBuilder<SchemaTypes>) {
  return arg({
    type: 'Revision',
    required: false,
    description:
      'Only while the object has this `version`: else nothing is done and the answer is a ' +
      'VersionConflict. A repeat gets its first answer all the same.',
  });
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
