import { expect, test } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';

import { canonicalBytes, canonicalText } from './canonical.ts';

test('is the text that another implementation of RFC 8785 writes', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }), (value) => {
      expect(canonicalText(value)).toBe(canonicalize(value));
    }),
    { numRuns: 2000 },
  );
});

test('sorts keys that look like numbers as text, and writes numbers as ECMAScript does', () => {
  expect(canonicalText({ 10: 'a', 9: 'b', '\u20ac': 1, $: 2 })).toBe(
    '{"$":2,"10":"a","9":"b","€":1}',
  );
  expect(canonicalText([-0, 1e21, 1e-7, 333333333.33333329])).toBe(
    '[0,1e+21,1e-7,333333333.3333333]',
  );
});

test('leaves out what is undefined and refuses what has no JSON', () => {
  expect(canonicalText({ a: undefined, b: [undefined] })).toBe('{"b":[null]}');
  for (const bad of [undefined, Number.NaN, Infinity, 1n, '\ud800', { a: '\udfff' }]) {
    expect(() => canonicalText(bad)).toThrow(TypeError);
  }
});

test('is UTF-8', () => {
  expect(canonicalBytes('€')).toEqual(Uint8Array.from([34, 226, 130, 172, 34]));
});
