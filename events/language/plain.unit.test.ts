import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';

import { isPlain } from './plain.ts';

const text = z.string().min(1).max(80).regex(/^a/);
const inner = z.strictObject({ text, at: z.iso.datetime(), n: z.int().min(1) });

describe('a schema that only says yes or no', () => {
  test.each([
    ['texts and numbers', inner],
    ['lists', z.array(inner).max(3)],
    ['records', z.record(text, z.unknown())],
    ['what may be missing or null', z.strictObject({ a: text.optional(), b: inner.nullable() })],
    ['choices', z.union([z.literal('a'), z.enum(['b', 'c']), z.boolean(), z.null()])],
    [
      'choices by a field',
      z.discriminatedUnion('k', [z.strictObject({ k: z.literal(1) }), inner.extend({ k: text })]),
    ],
    ['read-only lists', z.array(text).readonly()],
    ['conditions of our own', inner.refine((value) => value.n > 1)],
  ])('is plain: %s', (_what, schema) => {
    expect(isPlain(schema)).toBe(true);
  });

  test.each([
    ['trims', text.trim()],
    ['changes case', text.toLowerCase()],
    ['fills in', z.strictObject({ a: text.default('a') })],
    ['catches', z.strictObject({ a: text.catch('a') })],
    ['drops what it does not know', z.object({ text })],
    ['lets through what it does not know, inside', z.array(z.looseObject({ a: text.trim() }))],
    ['transforms', z.record(text, z.string().transform(Number))],
    ['coerces', z.array(z.coerce.number())],
    ['trims addresses', z.url()],
    ['puts together', z.intersection(z.strictObject({ a: text }), z.strictObject({ b: text }))],
    ['says later what it is', z.lazy(() => text)],
  ])('is not one that %s', (_what, schema) => {
    expect(isPlain(schema)).toBe(false);
  });
});
