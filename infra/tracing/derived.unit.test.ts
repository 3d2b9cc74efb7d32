/** Ids that are derived: valid, the same for everybody, and of one purpose. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { spanIdOf, traceIdOf } from './derived.ts';
import { spanNamed, traceparentOf } from './traceparent.ts';

test('an id of a trace or span is valid, and follows from its text alone', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(traceIdOf(text)).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
      expect(spanIdOf(text)).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
      expect([traceIdOf(text), spanIdOf(text)]).toEqual([traceIdOf(text), spanIdOf(text)]);
      expect(traceIdOf(text).startsWith(spanIdOf(text))).toBe(false);
    }),
  );
});

test('other texts have other ids', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 2 }), (texts) => {
      expect(new Set(texts.map(traceIdOf)).size).toBe(texts.length);
      expect(new Set(texts.map(spanIdOf)).size).toBe(texts.length);
    }),
  );
});

test('they do not change: a later release finds the traces of an earlier one', () => {
  expect(traceIdOf('order-1')).toBe('ea95747b06c26ca928ad66522b4b1f0d');
  expect(spanIdOf('4f0c6a4e-0000-5000-8000-000000000000')).toBe('37ad621a63ed53b7');
});

test('what is told to others is read as it was meant', () => {
  const hex = (length: number) =>
    fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((text) => !/^0+$/.test(text));
  fc.assert(
    fc.property(hex(32), hex(16), fc.constantFrom(0, 1), (traceId, spanId, traceFlags) => {
      const span = { traceId, spanId, traceFlags };
      expect(spanNamed(traceparentOf(span))).toEqual({ ...span, isRemote: true });
    }),
  );
});

test.each([
  undefined,
  7,
  '',
  'garbage',
  ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  '00-00000000000000000000000000000000-b7ad6b7169203331-01',
  '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
  '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  '00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01',
])('%j names no span, and is no reason to fail', (text) => {
  expect(spanNamed(text)).toBeUndefined();
});
