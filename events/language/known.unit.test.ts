/** What is unknown is dropped wherever it stands; what does not fit is told. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';

import { parseKnown } from './known.ts';

const Schema = z.strictObject({
  name: z.string(),
  parts: z.array(z.strictObject({ size: z.int() })),
  note: z.strictObject({ text: z.string() }).optional(),
});
const known = fc.record(
  {
    name: fc.string(),
    parts: fc.array(fc.record({ size: fc.integer() })),
    note: fc.record({ text: fc.string() }),
  },
  { requiredKeys: ['name', 'parts'] },
);
const more = fc.dictionary(
  fc.string({ minLength: 1 }).map((key) => `later ${key}`),
  fc.jsonValue(),
);

test('whatever a newer release says besides, what is known of it is the same', () => {
  fc.assert(
    fc.property(known, more, more, (value, here, there) => {
      const newer = {
        ...value,
        ...here,
        parts: value.parts.map((part) => ({ ...part, ...there })),
        ...(value.note && { note: { ...value.note, ...there } }),
      };
      const kept = structuredClone(newer);
      const parsed = parseKnown(Schema, newer);
      expect(parsed.data).toEqual(Schema.parse(value));
      expect(newer).toEqual(kept);
    }),
  );
});

test('what does not fit is told, with or without something unknown beside it', () => {
  for (const more of [{}, { later: 1 }]) {
    const parsed = parseKnown(Schema, { name: 1, parts: [], ...more });
    expect(parsed.error?.issues.map(({ path }) => path)).toContainEqual(['name']);
  }
});
