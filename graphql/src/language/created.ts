/** The arguments of lists that can be asked for by when their items began. */
import type { ArgBuilder } from '@pothos/core';

import type { SchemaTypes } from './builder.ts';
import { given } from './given.ts';

type Arg = ArgBuilder<SchemaTypes>;

export function createdArgs(arg: Arg) {
  return {
    createdFrom: arg({
      type: 'DateTime',
      required: false,
      description: 'Only what began at this instant or later.',
    }),
    createdUntil: arg({
      type: 'DateTime',
      required: false,
      description: 'Only what began before this instant.',
    }),
  };
}

/** What was given of them, for the service. */
export function createdRange(args: {
  readonly createdFrom?: string | null | undefined;
  readonly createdUntil?: string | null | undefined;
}) {
  return given({ createdFrom: args.createdFrom, createdUntil: args.createdUntil });
}
