/** What is written as JSON comes back equal, or is not written. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { jsonText, parsedJson, UnwritableError } from './json.ts';

test('every JSON value comes back equal', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const equal: unknown = JSON.parse(JSON.stringify(value));
      expect(parsedJson(jsonText(value))?.json).toStrictEqual(equal);
    }),
  );
});

test('a value that JSON would change is refused, with its place, wherever it stands', () => {
  const foreign = fc.constantFrom<unknown>(
    ...[1n, new Date(0), new Set([1]), new Map(), new Uint8Array(2), NaN, Infinity, -Infinity],
    ...[Symbol('s'), () => 1, new (class Money {})()],
  );
  const within = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      foreign,
      fc.record({ a: fc.jsonValue(), place: tie('value') }),
      fc.tuple(fc.jsonValue(), tie('value')),
    ),
  }));
  fc.assert(
    fc.property(within.value, (value) => {
      expect(() => jsonText(value)).toThrow(UnwritableError);
    }),
  );
  expect(() => jsonText({ items: [{ total: 1n }] })).toThrow('items.0.total is a bigint');
  expect(() => jsonText([undefined])).toThrow('0 is undefined');
  expect(() => jsonText(undefined)).toThrow('the value is undefined');
});

test('a field that is undefined is one that is not there', () => {
  expect(jsonText({ a: undefined, b: null })).toBe('{"b":null}');
});

test('what is nested too deeply is neither written nor read, and what is not too deep is both', () => {
  const nested = (depth: number): string => `${'[{"a":'.repeat(depth)}1${'}]'.repeat(depth)}`;
  const fine = parsedJson(nested(30));
  expect(fine).toBeDefined();
  expect(jsonText(fine?.json)).toBe(nested(30));
  for (const depth of [40, 1000, 100_000]) expect(parsedJson(nested(depth))).toBeUndefined();
  expect(() => jsonText(JSON.parse(nested(40)))).toThrow('nested too deeply');
});

test.each(['', '{', 'undefined', '{"a":1}x', '\u0000'])('%j is no JSON', (text) => {
  expect(parsedJson(text)).toBeUndefined();
});
