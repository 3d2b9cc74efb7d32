/** A newer service may say more; what it says otherwise is a defect. */
import { expect, test } from '@jest/globals';
import { query } from '@bivouac/events/language';
import { z } from 'zod';

import { resultOf } from './result.ts';

const Invoices = query({
  name: 'samples.Invoices',
  access: 'internal',
  input: z.strictObject({}),
  result: z.strictObject({
    items: z.array(z.strictObject({ total: z.string(), state: z.enum(['open', 'paid']) })),
    more: z.object({ pages: z.int() }).nullable(),
  }),
});
const one = { total: '1.00', state: 'open' };

test('fields that are unknown here are dropped, wherever they stand', () => {
  const newer = {
    items: [one, { ...one, dueAt: 'x', lines: [{}] }],
    more: { pages: 2, of: 3 },
    currency: 'EUR',
  };
  const kept = structuredClone(newer);
  expect(resultOf(Invoices, newer)).toEqual({ items: [one, one], more: { pages: 2 } });
  expect(newer).toEqual(kept);
});

test.each([
  [{ items: [one] }, 'more'],
  [{ items: [{ ...one, state: 'void' }], more: null }, 'state'],
  [{ items: [{ ...one, state: 'void', dueAt: 'x' }], more: null }, 'state'],
  [null, 'samples.Invoices'],
])('%j is a defect that names what does not fit', (result, says) => {
  expect(() => resultOf(Invoices, result)).toThrow(says);
});
