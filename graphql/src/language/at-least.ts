/** Reading what one has just written: an argument of every root field of Query. */
import type { ArgBuilder } from '@pothos/core';

import type { SchemaTypes } from './builder.ts';

type Arg = ArgBuilder<SchemaTypes>;

/** The argument `atLeast`; the resolver hands it to `services.raiseTo`. */
export function atLeast(arg: Arg) {
  return arg({
    type: 'Position',
    required: false,
    description:
      'Answer only once this position has been applied, e.g. the `position` a mutation gave. ' +
      'Waits a moment, then fails with NOT_YET. Also a header: `x-bivouac-at-least`.',
  });
}
