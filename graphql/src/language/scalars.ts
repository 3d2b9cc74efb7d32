/** The scalars of the schema. 64-bit integers are decimal strings, times RFC 3339 UTC. */
import { parsePosition } from '@bivouac/events/language';
import { CidrSchema, InstantSchema, UInt64Schema } from '@bivouac/events/values';
import { AskedMonthSchema } from '@bivouac/events/operations';
import { GraphQLError, Kind, type ValueNode } from 'graphql';
import type { z } from 'zod';

import { builder } from './builder.ts';

builder.scalarType('Position', {
  description:
    'Where something stands in the log. Opaque: keep it, compare it for equality, hand it back as ' +
    '`atLeast` to read what you have just written.',
  ...textScalar('Position', (text) => {
    try {
      parsePosition(text);
      return undefined;
    } catch {
      return 'expected a position as an earlier answer gave it';
    }
  }),
});

builder.scalarType('Revision', {
  description: 'The number of an event within its stream, from 0, as a decimal string.',
  ...schemaScalar('Revision', UInt64Schema),
});

builder.scalarType('Bytes', {
  description: 'A number of bytes, as a decimal string: it may not fit a 32-bit integer.',
  ...schemaScalar('Bytes', UInt64Schema),
});

builder.scalarType('Int64', {
  description: 'A whole number of up to 64 bits, not negative, as a decimal string.',
  ...schemaScalar('Int64', UInt64Schema),
});

builder.scalarType('DateTime', {
  description: 'An instant, RFC 3339 in UTC with milliseconds: `2026-04-10T09:00:00.000Z`.',
  ...schemaScalar('DateTime', InstantSchema),
});

builder.scalarType('Month', {
  description: 'A month of a calendar: `2026-04`.',
  ...schemaScalar('Month', AskedMonthSchema),
});

builder.scalarType('Cidr', {
  description: 'A prefix whose host bits are zero: `192.0.2.0/24` or `2001:db8::/64`.',
  ...schemaScalar('Cidr', CidrSchema),
});

builder.scalarType('JSON', {
  description: 'Any JSON value. Only handed out, never taken.',
  serialize: (value) => value,
  parseValue: () => {
    throw new GraphQLError('JSON is handed out, never taken');
  },
});

/** A scalar that is text with a rule; `fault` says what is wrong with a text, or undefined. */
function textScalar(name: string, fault: (text: string) => string | undefined) {
  const parse = (value: unknown): string => {
    const problem = typeof value === 'string' ? fault(value) : 'expected a string';
    if (typeof value !== 'string' || problem !== undefined) {
      throw new GraphQLError(`${name} cannot represent ${JSON.stringify(value)}: ${problem}`);
    }
    return value;
  };
  return {
    // Services checked it against the same rule when they answered; checking twice costs reads.
    serialize: (value: string): string => value,
    parseValue: parse,
    parseLiteral: (node: ValueNode): string =>
      parse(node.kind === Kind.STRING ? node.value : undefined),
  };
}

function schemaScalar(name: string, schema: z.ZodType<string>) {
  return textScalar(name, (text) => {
    const parsed = schema.safeParse(text);
    return parsed.success ? undefined : (parsed.error.issues[0]?.message ?? 'it does not fit');
  });
}
