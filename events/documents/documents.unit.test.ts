/** The documents of events are current and true, and a released version is never narrowed. */
import { readdirSync, readFileSync } from 'node:fs';

import asyncApiSchemas from '@asyncapi/specs';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { z } from 'zod';

import { narrowings } from './compatibility.ts';
import { documents, presentSchemas } from './documents.ts';
import type { JsonSchema } from './json-schemas.ts';

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const jsonAt = (path: string): unknown => JSON.parse(readFileSync(at(path), 'utf8'));
const SchemasSchema = z.record(z.string(), z.record(z.string(), z.unknown()));

const present = presentSchemas();
const released = SchemasSchema.parse(jsonAt('events/released.schemas.json'));
const goldens = readdirSync(at('events/golden')).map((file) => {
  const name = file.slice(0, -'.json'.length);
  return [name, jsonAt(`events/golden/${file}`)] as const;
});

/** Formats and our own `x-` words are no errors; what does not fit is. */
function validator(schema: JsonSchema, bringsItsDraft = false) {
  const own = bringsItsDraft ? { meta: false, validateSchema: false } : {};
  const ajv = new Ajv({ strict: false, validateFormats: true, ...own });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

describe('the documents of docs/events', () => {
  const all = [...documents()];

  test('are all there and no others', () => {
    const there = readdirSync(at('docs/events')).filter((name) => name.endsWith('.json'));
    expect(there.sort()).toEqual(all.map(([name]) => name).sort());
  });

  test.each(all)('%s is current: else run `npm run schemas`', (name, text) => {
    expect(readFileSync(at(`docs/events/${name}`), 'utf8') === text).toBe(true);
  });

  test('have every version of every event that was ever written', () => {
    expect(Object.keys(present).sort()).toEqual(goldens.map(([name]) => name).sort());
  });

  test('say of every field who may see it', () => {
    for (const [name, schema] of Object.entries(present)) {
      const fields = z.record(z.string(), z.object({ 'x-audience': z.string() }).loose());
      const parsed = fields.safeParse(schema['properties']);
      expect([name, parsed.success]).toEqual([name, true]);
    }
  });
});

test.each(goldens)(
  '%s: the golden sample fits its JSON Schema, without a field it does not',
  (name, body) => {
    const schema = present[name];
    if (schema === undefined) throw new Error(`no schema of ${name}`);
    const fits = validator(schema);
    expect([fits(body), fits.errors]).toEqual([true, null]);
    const fields = z.record(z.string(), z.unknown()).parse(body);
    for (const field of z.array(z.string()).parse(schema['required'] ?? [])) {
      const { [field]: _gone, ...others } = fields;
      expect([field, fits(others)]).toEqual([field, false]);
    }
    expect(fits({ ...fields, noSuchField: 1 })).toBe(false);
  },
);

describe('the AsyncAPI document', () => {
  const document = z
    .object({
      channels: z.object({
        events: z.object({ messages: z.record(z.string(), z.object({ $ref: z.string() })) }),
      }),
      components: z.object({
        messages: z.record(
          z.string(),
          z.object({ payload: z.object({ schema: z.object({ $ref: z.string() }) }) }).loose(),
        ),
      }),
    })
    .loose()
    .parse(jsonAt('docs/events/asyncapi.json'));

  test('is one, by the schema of the specification', () => {
    // It brings the draft it is written in along.
    const fits = validator(
      z.record(z.string(), z.unknown()).parse(asyncApiSchemas.schemas['3.0.0']),
      true,
    );
    expect([fits(document), fits.errors]).toEqual([true, null]);
    // Not because it takes anything.
    expect(fits({ ...document, channels: { events: { address: 1 } } })).toBe(false);
    expect(fits({ ...document, asyncapi: '2.0.0' })).toBe(false);
  });

  test('has each version of each event as a message whose payload is in its context’s document', () => {
    const { messages } = document.components;
    expect(Object.keys(messages).sort()).toEqual(Object.keys(present).sort());
    expect(Object.keys(document.channels.events.messages).sort()).toEqual(
      Object.keys(present).sort(),
    );
    for (const [name, { payload }] of Object.entries(messages)) {
      const [file = '', pointer = ''] = payload.schema.$ref.split('#/definitions/');
      const { definitions } = z
        .object({ definitions: SchemasSchema })
        .parse(jsonAt(`docs/events/${file}`));
      expect([pointer, definitions[pointer]]).toEqual([name, present[name]]);
    }
  });
});

describe('a released version of an event', () => {
  test.each(Object.keys(released))('%s is there and takes all it took', (name) => {
    const [was, is] = [released[name], present[name]];
    if (was === undefined || is === undefined) throw new Error(`${name} is gone`);
    // Where this fails, add a version (CONTRIBUTING.md); the released file changes with a release.
    expect(narrowings(was, is)).toEqual([]);
  });
});

describe('what counts as narrower', () => {
  const object = (properties: object, required: readonly string[] = []) => ({
    ...{ type: 'object', properties, required, additionalProperties: false },
  });
  const text = { type: 'string' };

  test.each<[string, JsonSchema, JsonSchema]>([
    ['a field that is gone', object({ a: text }), object({})],
    ['a field that must be there', object({ a: text }), object({ a: text }, ['a'])],
    ['a new field that must be there', object({}), object({ a: text }, ['a'])],
    ['another type', object({ a: text }), object({ a: { type: 'integer' } })],
    ['no null', { anyOf: [text, { type: 'null' }] }, text],
    ['an enum’s value that is gone', { enum: ['a', 'b'] }, { enum: ['a'] }],
    ['an enum where anything was', text, { type: 'string', enum: ['a'] }],
    ['a pattern', text, { type: 'string', pattern: 'a' }],
    ['a longer least', { type: 'string', minLength: 1 }, { type: 'string', minLength: 2 }],
    ['a shorter most', { type: 'array', maxItems: 2 }, { type: 'array', maxItems: 1 }],
    ['a most where none was', { type: 'integer' }, { type: 'integer', maximum: 9 }],
    ['narrower items', { type: 'array', items: text }, { type: 'array', items: { enum: ['a'] } }],
    ['an alternative that is gone', { anyOf: [text, { type: 'integer' }] }, { anyOf: [text] }],
    ['a closed object', { type: 'object', properties: {} }, object({})],
    [
      'something within something',
      object({ a: object({ b: text }) }),
      object({ a: object({ b: { type: 'null' } }) }),
    ],
  ])('%s', (_name, was, is) => {
    expect(narrowings(was, is)).not.toEqual([]);
    expect(narrowings(was, was)).toEqual([]);
  });

  test.each<[string, JsonSchema, JsonSchema]>([
    ['a field that may be there', object({}), object({ a: text })],
    ['a field that need not be there', object({ a: text }, ['a']), object({ a: text })],
    ['null as well', text, { anyOf: [text, { type: 'null' }] }],
    ['an enum’s value more', { enum: ['a'] }, { enum: ['a', 'b'] }],
    ['one value, then several', { const: 'a' }, { enum: ['a', 'b'] }],
    ['any number for whole ones', { type: 'integer' }, { type: 'number' }],
    ['a longer most', { type: 'string', maxLength: 1 }, { type: 'string', maxLength: 2 }],
    ['a pattern that is gone', { type: 'string', pattern: 'a' }, text],
    ['other words about it', text, { ...text, description: 'A text.' }],
  ])('is not %s', (_name, was, is) => {
    expect(narrowings(was, is)).toEqual([]);
  });

  /** A schema with one thing changed anywhere in it. */
  function changed(schema: JsonSchema, pick: (below: number) => number): JsonSchema {
    const copy = structuredClone(schema) as Record<string, unknown>;
    const places: Record<string, unknown>[] = [];
    const walk = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Array.isArray(value)) places.push(value as Record<string, unknown>);
      for (const inner of Object.values(value)) walk(inner);
    };
    walk(copy);
    const place = places[pick(places.length)] ?? copy;
    const keywords = Object.keys(place);
    const keyword = keywords[pick(keywords.length)] ?? 'type';
    const value = place[keyword];
    const others: unknown[] = ['string', 'integer', 'null', 3, [], false];
    if (pick(2) === 0) {
      if (Array.isArray(value)) value.splice(pick(value.length), 1);
      else Reflect.deleteProperty(place, keyword);
    } else if (typeof value === 'number') place[keyword] = value + pick(5) - 2;
    else place[keyword] = others[pick(others.length)];
    return copy;
  }

  test('whatever the check lets pass still takes what was written', () => {
    let passed = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...goldens),
        fc.infiniteStream(fc.nat({ max: 1_000_000 })),
        ([name, body], numbers) => {
          const was = present[name] ?? {};
          const is = changed(was, (below) => Number(numbers.next().value) % Math.max(1, below));
          if (narrowings(was, is).length > 0) {
            refused += 1;
            return;
          }
          let fits;
          try {
            fits = validator(is);
          } catch {
            // No schema at all any more: nothing is generated that is none.
            return;
          }
          passed += 1;
          expect([fits(body), fits.errors]).toEqual([true, null]);
        },
      ),
      { numRuns: 200 },
    );
    expect(passed).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(20);
  });
});
