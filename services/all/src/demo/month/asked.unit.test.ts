/** What the gateway says of the books: whatever is not balanced or not closed is found. */
import { expect, test } from '@jest/globals';

import { type AskedBooks, askedViolations } from './asked.ts';

const sound: AskedBooks = {
  ...{ issuer: 'Reseller 1', month: '2026-04', entries: 12, unclosed: [] },
  sums: [{ amount: '0.00', currency: 'EUR' }],
};
const found = (change: Partial<AskedBooks>): string[] =>
  Object.values(askedViolations([sound, { ...sound, ...change }])).flat();

test('books that balance, of months that are closed, are right', () => {
  expect(found({})).toEqual([]);
});

test('a sum that is not zero, books without entries and an account that is left are found', () => {
  const sums = [...sound.sums, { amount: '-0.01', currency: 'USD' }];
  expect(found({ sums })).toEqual(['the books of Reseller 1 sum to -0.01 USD']);
  expect(found({ entries: 0 })).toEqual(['Reseller 1 has booked nothing']);
  expect(found({ unclosed: ['ten_x'] })).toEqual(['Reseller 1 has not closed 2026-04 of ten_x']);
});
