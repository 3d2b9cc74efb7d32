/**
 * Values as a contract's schema describes them, for properties that hold of every contract. They fit its
 * shape; refinements that look at several fields at once they may break, so callers check.
 */
import fc from 'fast-check';
import { z } from 'zod';

/** Texts of the forms that no pattern describes. */
const TEXTS = [
  ...['10.20.0.0/24', '2001:db8::/48', '10.20.0.7', '2001:db8::7', '0', '12', '12.50', '-3.25'],
  ...[
    'EUR',
    'Europe/Berlin',
    'web1.example.com',
    'https://repo.example.com/el9/',
    '2026-11',
    'x86_64',
  ],
  ...['pk@example.com', 'a', 'nginx', '2026-11-01', '2026-11-01T00:00:00.000Z', 'a'.repeat(64)],
];

/** Any value of the schema's shape. */
export function valuesOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const values = known.get(schema) ?? madeFor(schema);
  known.set(schema, values);
  return values;
}

/** Contracts share many of their schemas. */
const known = new WeakMap<z.core.$ZodType, fc.Arbitrary<unknown>>();

function madeFor(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  if (schema instanceof z.core.$ZodString) return texts(schema);
  if (schema instanceof z.core.$ZodNumber) return numbers(schema);
  if (schema instanceof z.core.$ZodBoolean) return fc.boolean();
  if (schema instanceof z.core.$ZodNull) return fc.constant(null);
  if (schema instanceof z.core.$ZodUnknown) return json;
  if (schema instanceof z.core.$ZodLiteral) return fc.constantFrom(...schema._zod.def.values);
  if (schema instanceof z.core.$ZodEnum) {
    return fc.constantFrom(...Object.values(schema._zod.def.entries));
  }
  if (schema instanceof z.core.$ZodUnion) {
    return fc.oneof(...schema._zod.def.options.map(valuesOf));
  }
  if (schema instanceof z.core.$ZodArray) {
    const { least, most } = lengthsOf(schema, 3);
    return fc.array(valuesOf(schema._zod.def.element), { minLength: least, maxLength: most });
  }
  if (schema instanceof z.core.$ZodRecord) {
    const { keyType, valueType } = schema._zod.def;
    const keys = valuesOf(keyType).map(String);
    return fc.dictionary(keys, valuesOf(valueType), { maxKeys: 3, noNullPrototype: true });
  }
  if (schema instanceof z.core.$ZodOptional || schema instanceof z.core.$ZodDefault) {
    return fc.option(valuesOf(schema._zod.def.innerType), { nil: undefined });
  }
  if (schema instanceof z.core.$ZodNullable) return fc.option(valuesOf(schema._zod.def.innerType));
  if (schema instanceof z.core.$ZodReadonly) return valuesOf(schema._zod.def.innerType);
  if (schema instanceof z.core.$ZodObject) {
    const fields = Object.entries(schema._zod.def.shape).map(
      ([name, field]) => [name, valuesOf(field)] as const,
    );
    return fc.record(Object.fromEntries(fields), { noNullPrototype: true });
  }
  // A kind that JSON may not carry: say how it goes between processes before it is in a contract.
  throw new TypeError(`there are no sample values of ${schema._zod.def.type}`);
}

const json = fc
  .jsonValue({ maxDepth: 2 })
  .map((value): unknown => JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'proto')));

function numbers(schema: z.core.$ZodNumber): fc.Arbitrary<unknown> {
  let least = -1000;
  let most: number | undefined;
  for (const { _zod } of schema._zod.def.checks ?? []) {
    if ('value' in _zod.def && 'inclusive' in _zod.def) {
      const { check, value, inclusive } = _zod.def;
      const step = inclusive === true ? 0 : 1;
      if (check === 'greater_than') least = Number(value) + step;
      if (check === 'less_than') most = Number(value) - step;
    }
  }
  return fc.integer({ min: Math.ceil(least), max: Math.floor(most ?? least + 1e6) });
}

/** Least and most of a length, where there is a bound; at most so many more than the least. */
function lengthsOf(
  { _zod: { def } }: z.core.$ZodString | z.core.$ZodArray,
  more: number,
): { readonly least: number; readonly most: number } {
  let least = 0;
  let most = Infinity;
  for (const { _zod } of def.checks ?? []) {
    if ('minimum' in _zod.def) least = Number(_zod.def.minimum);
    if ('maximum' in _zod.def) most = Number(_zod.def.maximum);
    if ('length' in _zod.def) least = most = Number(_zod.def.length);
  }
  return { least, most: Math.min(most, least + more) };
}

/** By its pattern, or of its length; where neither is accepted, of the known texts those that are. */
function texts(schema: z.core.$ZodString): fc.Arbitrary<unknown> {
  const fits = (text: unknown): boolean => z.core.safeParse(schema, text).success;
  const { least, most } = lengthsOf(schema, 40);
  const length = { minLength: least, maxLength: most };
  const patterns = [schema._zod.def, ...(schema._zod.def.checks ?? []).map(({ _zod }) => _zod.def)]
    .flatMap((def) => ('pattern' in def && def.pattern instanceof RegExp ? [def.pattern] : []))
    .flatMap((pattern) => matching(pattern) ?? []);
  const candidates = [
    ...patterns,
    fc.string({ ...length, unit: 'grapheme' }),
    fc.string(length),
    ...TEXTS.filter(fits).map((text) => fc.constant(text)),
  ].filter((candidate) => fc.sample(candidate, { numRuns: 8, seed: 1 }).filter(fits).length > 4);
  if (candidates.length === 0) throw new TypeError(`no sample text fits ${describe(schema)}`);
  return fc.oneof(...candidates).filter(fits);
}

/** Many schemas have the same few patterns, and what matches one takes long to make. */
const patterned = new Map<string, fc.Arbitrary<string> | undefined>();

function matching(pattern: RegExp): fc.Arbitrary<string> | undefined {
  const key = String(pattern);
  const made = patterned.has(key) ? patterned.get(key) : matchedBy(pattern);
  patterned.set(key, made);
  return made;
}

function matchedBy(pattern: RegExp): fc.Arbitrary<string> | undefined {
  try {
    return fc.stringMatching(pattern);
  } catch {
    // With what cannot be turned round, e.g. a look-ahead.
    return undefined;
  }
}

function describe({ _zod: { def } }: z.core.$ZodString): string {
  return JSON.stringify(
    [def, ...(def.checks ?? []).map(({ _zod }) => _zod.def)],
    (_name, value: unknown) => (value instanceof RegExp ? String(value) : value),
  );
}
