/** A client of the released schema goes on working; what is to go is announced before. */
import { readFileSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';
import {
  buildSchema,
  type GraphQLEnumValue,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { z } from 'zod';

import { schema } from './schema.ts';
import { unexpectedChanges } from './schema-changes.ts';

const text = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('since the release', () => {
  const released = buildSchema(text('graphql/released.graphql'));
  const allowed = z
    .array(z.strictObject({ change: z.string().min(1), reason: z.string().min(20) }))
    .parse(JSON.parse(text('graphql/schema-changes.json')));
  const changes = unexpectedChanges(released, schema).map(({ description }) => description);

  test('nothing has changed that breaks a client, but for what is allowed with a reason', () => {
    // Deprecate it instead, with a date. Else graphql/schema-changes.json takes it with the reason.
    expect(changes.filter((one) => !allowed.some(({ change }) => change === one))).toEqual([]);
  });

  test('everything that is allowed has changed: a release empties the list', () => {
    expect(allowed.filter(({ change }) => !changes.includes(change))).toEqual([]);
  });
});

test('what is deprecated says since when, until when at the least, and what to take instead', () => {
  const docs = text('docs/graphql.md');
  const problems: string[] = [];
  for (const [name, reason] of deprecations(schema)) {
    const [since = '', until = ''] = reason.match(/\d{4}-\d{2}-\d{2}/g) ?? [];
    const days = (Date.parse(until) - Date.parse(since)) / 86_400_000;
    if (!(days >= 89)) problems.push(`${name}: no two dates three months apart`);
    if (!docs.includes(`\`${name}\``)) problems.push(`${name}: not in docs/graphql.md`);
  }
  expect(problems).toEqual([]);
});

type Member = GraphQLEnumValue | GraphQLField<unknown, unknown> | GraphQLInputField;

function* deprecations(of: GraphQLSchema): Generator<readonly [string, string]> {
  for (const type of Object.values(of.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    const members: readonly Member[] = isEnumType(type)
      ? type.getValues()
      : isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)
        ? Object.values(type.getFields())
        : [];
    for (const member of members) {
      const name = `${type.name}.${member.name}`;
      if (typeof member.deprecationReason === 'string') yield [name, member.deprecationReason];
      if (!('args' in member)) continue;
      for (const { name: arg, deprecationReason } of member.args) {
        if (typeof deprecationReason === 'string') yield [`${name}(${arg})`, deprecationReason];
      }
    }
  }
}

describe('what breaks a client', () => {
  const before = buildSchema(`
    type Query { a(x: Int = 1): String b: Int! c: E d(i: I): U }
    enum E { ONE TWO } input I { f: Int } type T { f: Int } type V { f: Int } union U = T`);
  const after = (sdl: string) => unexpectedChanges(before, buildSchema(sdl)).map((c) => c.type);
  const rest = `input I { f: Int } type T { f: Int } type V { f: Int }`;

  test.each([
    [
      'a field that is gone',
      `type Query { b: Int! c: E d(i: I): U } enum E { ONE TWO } ${rest} union U = T`,
    ],
    [
      'a field that may be null',
      `type Query { a(x: Int = 1): String b: Int c: E d(i: I): U } enum E { ONE TWO } ${rest} union U = T`,
    ],
    [
      'an enum’s value that is gone',
      `type Query { a(x: Int = 1): String b: Int! c: E d(i: I): U } enum E { ONE } ${rest} union U = T`,
    ],
    [
      'an argument that must be given',
      `type Query { a(x: Int = 1, y: Int!): String b: Int! c: E d(i: I): U } enum E { ONE TWO } ${rest} union U = T`,
    ],
    [
      'another default',
      `type Query { a(x: Int = 2): String b: Int! c: E d(i: I): U } enum E { ONE TWO } ${rest} union U = T`,
    ],
  ])('is found: %s', (_name, sdl) => {
    expect(after(sdl)).toHaveLength(1);
  });

  test('is not what was announced as an addition', () => {
    expect(
      after(`type Query { a(x: Int = 1, y: Int): String b: Int! c: E d(i: I): U e: Int }
        enum E { ONE TWO THREE } input I { f: Int g: Int } type T { f: Int g: Int } type V { f: Int } union U = T | V`),
    ).toEqual([]);
  });
});
