/** The schema as a whole: checked in, described, closed to strangers, complete in its codes. */
import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';
import {
  type GraphQLArgument,
  type GraphQLField,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isUnionType,
} from 'graphql';

import { codesOf, setUp } from '../test/asking.ts';
import { codes } from './errors/codes.ts';
import { requestErrorStatus } from './errors/request-error.ts';
import { schema } from './schema.ts';
import { sdl } from './sdl.ts';

const file = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the checked-in schema is the schema: write it by `npm run schema`', () => {
  expect(file('graphql/schema.graphql')).toBe(sdl());
});

test('every type, field, argument and value of ours says what it is', () => {
  const silent: string[] = [];
  const said = (
    name: string,
    thing: { readonly description?: string | null | undefined },
  ): void => {
    if ((thing.description ?? '').trim() === '') silent.push(name);
  };
  for (const type of Object.values(schema.getTypeMap())) {
    const builtIn = ['String', 'Int', 'Float', 'Boolean', 'ID'].includes(type.name);
    if (type.name.startsWith('__') || builtIn) continue;
    said(type.name, type);
    if (isEnumType(type)) {
      for (const value of type.getValues()) said(`${type.name}.${value.name}`, value);
    }
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields()))
        said(`${type.name}.${field.name}`, field);
    }
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        said(`${type.name}.${field.name}`, field);
        for (const arg of field.args) said(`${type.name}.${field.name}(${arg.name})`, arg);
      }
    }
  }
  expect(silent).toEqual([]);
});

const queryFields = Object.values(schema.getQueryType()?.getFields() ?? {});
const mutationFields = Object.values(schema.getMutationType()?.getFields() ?? {});

/** A value that fits an argument, as text. */
function sample(type: GraphQLArgument['type']): string {
  if (isNonNullType(type)) return sample(type.ofType);
  if (isListType(type)) return '[]';
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
    return `{ ${fields.map((field) => `${field.name}: ${sample(field.type)}`).join(', ')} }`;
  }
  if (isEnumType(type)) return type.getValues()[0]?.name ?? '';
  const samples: Readonly<Record<string, string>> = {
    Int: '1',
    Boolean: 'true',
    Month: '"2026-04"',
    Cidr: '"192.0.2.0/24"',
    Bytes: '"1"',
    Int64: '"1"',
    DateTime: '"2026-04-10T09:00:00.000Z"',
    Position: '"00000000000000000001"',
  };
  return samples[type.name] ?? '"x"';
}

function asked(field: GraphQLField<unknown, unknown>): string {
  const needed = field.args.filter((arg) => isNonNullType(arg.type));
  const args = needed.map((arg) => `${arg.name}: ${sample(arg.type)}`).join(', ');
  const leaf = isNonNullType(field.type) ? field.type.ofType : field.type;
  const fields = isScalarType(leaf) || isEnumType(leaf) ? '' : ' { __typename }';
  return `${field.name}${args === '' ? '' : `(${args})`}${fields}`;
}

describe('without a key', () => {
  test('the matrix covers something', () => {
    expect(queryFields.length).toBeGreaterThan(15);
    expect(mutationFields.length).toBeGreaterThan(20);
  });

  test.each(queryFields.map((field) => [field.name, field] as const))(
    'Query.%s is refused and no service is asked',
    async (_name, field) => {
      const { ask, services } = setUp();
      const reply = await ask(`{ ${asked(field)} }`, { as: null });
      expect([reply.status, ...codesOf(reply)]).toEqual([401, 'UNAUTHENTICATED']);
      expect(services.calls).toEqual([]);
    },
  );

  test.each(mutationFields.map((field) => [field.name, field] as const))(
    'Mutation.%s is refused and no service is asked',
    async (_name, field) => {
      const { ask, services } = setUp();
      const reply = await ask(`mutation { ${asked(field)} }`, { as: null });
      expect([reply.status, ...codesOf(reply)]).toEqual([401, 'UNAUTHENTICATED']);
      expect(services.calls).toEqual([]);
    },
  );
});

describe('every mutation', () => {
  test.each(mutationFields.map((field) => [field.name, field] as const))(
    '%s takes an input and an idempotencyKey, and answers a union with the errors',
    (_name, field) => {
      const types = field.args.map((arg) => [arg.name, isNonNullType(arg.type)]);
      const { expectedVersion = false, ...others } = Object.fromEntries(types) as Record<
        string,
        boolean
      >;
      expect(others).toEqual({ input: true, idempotencyKey: true });
      // Whoever has not read the object can still change it.
      expect(expectedVersion).toBe(false);
      const union = isNonNullType(field.type) ? field.type.ofType : field.type;
      if (!isUnionType(union)) throw new Error('no union');
      const members = union.getTypes();
      const errors = members.filter((type) =>
        type.getInterfaces().some((face) => face.name === 'UserError'),
      );
      const payloads = members.filter((type) =>
        type.getInterfaces().some((face) => face.name === 'MutationPayload'),
      );
      expect(payloads).toHaveLength(1);
      expect(errors).toHaveLength(members.length - 1);
      expect(errors.map((type) => type.name)).toContain('IdempotencyConflict');
    },
  );

  test.each(mutationFields.map((field) => [field.name, field] as const))(
    '%s without an idempotencyKey is no valid document',
    async (_name, field) => {
      const { ask, services } = setUp();
      const document = asked(field).replace(/idempotencyKey: "x",? ?/, '');
      expect(document).not.toContain('idempotencyKey');
      const reply = await ask(`mutation { ${document} }`);
      expect(codesOf(reply)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
      const given = services.calls.filter(({ principal }) => principal.kind === 'key');
      expect(given.filter((call) => call.idempotencyKey !== undefined)).toEqual([]);
    },
  );
});

describe('codes', () => {
  test('of errors all belong to a type the schema has', () => {
    for (const [code, { type }] of codes) {
      expect([code, schema.getType(type)?.name]).toEqual([code, type]);
    }
  });

  test('that services refuse with are all in the list: add new ones to errors/codes.ts', () => {
    // Not refusals of commands or answers to asks.
    const others = new Set([
      'NOT_YET',
      'KEY_EXPIRED',
      'KEY_REVOKED',
      'ACTING_ENDED',
      'NOTE_MISSING',
    ]);
    const sources = readdirSync(new URL('../../services', import.meta.url), { recursive: true })
      .map((name) => `services/${String(name)}`)
      .filter((name) => /\/src\/(domain|policies|commands|queries)\b.*\.ts$/.test(name))
      .filter((name) => !name.endsWith('.test.ts') && !name.startsWith('services/all/'));
    const refusals =
      /(?:refuse|refusal|refused)\(\s*'([A-Z][A-Z0-9_]+)'|\bcode: '([A-Z][A-Z0-9_]+)'/g;
    const used = new Set<string>();
    for (const source of sources) {
      for (const match of file(source).matchAll(refusals)) used.add(match[1] ?? match[2] ?? '');
    }
    expect(used.size).toBeGreaterThan(50);
    expect([...used].filter((code) => !codes.has(code) && !others.has(code)).sort()).toEqual([]);
  });

  test('are all explained in docs/errors.md, as the list has them', () => {
    const doc = file('docs/errors.md');
    for (const [code, { type, when, remedy }] of codes) {
      expect(doc.replaceAll(/\s+/g, ' ')).toContain(
        `| \`${code}\` | ${type} | ${when} ${remedy} |`,
      );
    }
    for (const code of Object.keys(requestErrorStatus)) expect(doc).toContain(`| \`${code}\``);
  });
});
