/**
 * Whether a schema still takes every body that another takes, and still has all its fields: what an
 * existing version of an event may become. It may be widened (an optional field, an enum's value
 * more), never narrowed; anything else is another version.
 */
import { isDeepStrictEqual } from 'node:util';

import type { JsonSchema } from './json-schemas.ts';

/** Everything that has been narrowed; empty where nothing has. */
export function narrowings(was: JsonSchema, is: JsonSchema, path = 'body'): readonly string[] {
  if (isDeepStrictEqual(was, is)) return [];
  const before = alternatives(was);
  const now = alternatives(is);
  if (before.length > 1 || now.length > 1) {
    return before.flatMap((one) => {
      const [first = [], ...others] = now.map((other) => narrowings(one, other, path));
      const best = others.reduce((a, b) => (b.length < a.length ? b : a), first);
      return best.length === 0 ? [] : [`${path}: takes no more what it took: ${best.join('; ')}`];
    });
  }
  return [
    ...ofTypes(was, is, path),
    ...ofValues(was, is, path),
    ...ofBounds(was, is, path),
    ...ofFields(was, is, path),
    ...ofItems(was, is, path),
  ];
}

/** Both sides of a union, a nullable type among them, apart. */
function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  for (const keyword of ['anyOf', 'oneOf']) {
    const list = schema[keyword];
    if (Array.isArray(list)) return list.flatMap((one) => alternatives(objectOf(one)));
  }
  const { type } = schema;
  if (Array.isArray(type)) return type.map((one: unknown) => ({ ...schema, type: one }));
  return [schema];
}

function ofTypes(was: JsonSchema, is: JsonSchema, path: string): readonly string[] {
  const [before, now] = [was['type'], is['type']];
  const wider = now === undefined || now === before || (before === 'integer' && now === 'number');
  return wider ? [] : [`${path}: was ${said(before)}, is ${said(now)}`];
}

function ofValues(was: JsonSchema, is: JsonSchema, path: string): readonly string[] {
  const now = valuesOf(is);
  if (now === undefined) return [];
  const before = valuesOf(was);
  if (before === undefined) return [`${path}: takes only ${said(now)} now`];
  const gone = before.filter((value) => !now.some((other) => isDeepStrictEqual(value, other)));
  return gone.map((value) => `${path}: takes ${said(value)} no more`);
}

function valuesOf(schema: JsonSchema): readonly unknown[] | undefined {
  if ('const' in schema) return [schema['const']];
  const list = schema['enum'];
  return Array.isArray(list) ? list : undefined;
}

/** Keywords whose number may only fall, and those whose may only rise. */
const mayFall = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const mayRise = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
/** Of these nobody can tell whether one takes what another takes. */
const mustStay = [
  'pattern',
  'format',
  'multipleOf',
  'uniqueItems',
  'propertyNames',
  'allOf',
  'not',
];

function ofBounds(was: JsonSchema, is: JsonSchema, path: string): readonly string[] {
  const narrower = (keyword: string, ok: (before: number, now: number) => boolean): boolean => {
    const [before, now] = [was[keyword], is[keyword]];
    if (typeof now !== 'number') return false;
    return typeof before !== 'number' || !ok(before, now);
  };
  return [
    ...mayFall.filter((keyword) => narrower(keyword, (before, now) => now <= before)),
    ...mayRise.filter((keyword) => narrower(keyword, (before, now) => now >= before)),
    ...mustStay.filter((keyword) => keyword in is && !isDeepStrictEqual(was[keyword], is[keyword])),
  ].map((keyword) => `${path}: ${keyword} was ${said(was[keyword])}, is ${said(is[keyword])}`);
}

function ofFields(was: JsonSchema, is: JsonSchema, path: string): readonly string[] {
  const [before, now] = [objectOf(was['properties']), objectOf(is['properties'])];
  const required = listOf(was['required']);
  const problems: string[] = [];
  for (const [name, field] of Object.entries(before)) {
    if (name in now) {
      problems.push(...narrowings(objectOf(field), objectOf(now[name]), `${path}.${name}`));
    } else problems.push(`${path}.${name}: is gone`);
  }
  for (const name of listOf(is['required'])) {
    if (!required.includes(name)) problems.push(`${path}.${name}: must be there now`);
  }
  const [open, stillOpen] = [was['additionalProperties'], is['additionalProperties']];
  if (isSchema(stillOpen)) {
    if (isSchema(open)) problems.push(...narrowings(open, stillOpen, `${path}.*`));
    else if (open !== false) problems.push(`${path}: other fields must fit a schema now`);
  } else if (stillOpen === false && open !== false && was['type'] === 'object') {
    problems.push(`${path}: takes no other fields any more`);
  }
  return problems;
}

function ofItems(was: JsonSchema, is: JsonSchema, path: string): readonly string[] {
  const [before, now] = [was['items'], is['items']];
  if (now === undefined || isDeepStrictEqual(before, now)) return [];
  if (isSchema(before) && isSchema(now)) return narrowings(before, now, `${path}[]`);
  // A tuple of another shape, or items that could be anything before.
  return [`${path}[]: was ${said(before)}, is ${said(now)}`];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A schema may also be `true` (anything) or `false` (nothing). */
function objectOf(value: unknown): JsonSchema {
  if (value === false) return { not: {} };
  return isSchema(value) ? value : {};
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function said(value: unknown): string {
  return value === undefined ? 'anything' : JSON.stringify(value);
}
