/**
 * The bodies of events as JSON Schema (draft 7, which every tool reads), one document for each
 * context. What a schema of ours checks by code (that a prefix has no host bits, that a currency
 * exists) is said in words there: the document takes what we take and a little more.
 */
import { z } from 'zod';

import { audienceOf, type BodySchema, type EventDefinition, purposeOf } from '../language/index.ts';

/** JSON Schema, as far as it is looked into here. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

export interface ContextDocument extends JsonSchema {
  readonly $id: string;
  readonly definitions: Readonly<Record<string, JsonSchema>>;
}

/** The name of an event's version, in documents. */
export function versionName(type: string, version: number): string {
  return `${type}.v${version}`;
}

/** Every version of every event of a context. */
export function contextDocument(
  context: string,
  definitions: readonly EventDefinition[],
): ContextDocument {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: `urn:bivouac:events:${context}`,
    title: `Events of ${context}`,
    description:
      'The body of each version of each event. Every field says in x-audience who may see it: ' +
      'customer (everyone concerned), reseller, staff, auditor. Versions never change, new ones come.',
    definitions: Object.fromEntries(
      definitions.flatMap((definition) =>
        [...definition.schemas].map(([version, schema]) => [
          versionName(definition.type, version),
          bodySchema(definition, version, schema),
        ]),
      ),
    ),
  };
}

function bodySchema(
  { type, version: newest }: EventDefinition,
  version: number,
  schema: BodySchema,
): JsonSchema {
  const { $schema: _, ...body } = z.toJSONSchema(schema, {
    target: 'draft-7',
    // What a default fills in may be missing in what was written.
    io: 'input',
    reused: 'inline',
    unrepresentable: 'any',
  });
  const properties = Object.entries(body.properties ?? {}).map(([name, property]) => {
    const field = schema.shape[name];
    const audience = field === undefined ? undefined : audienceOf(field);
    const sealed = field instanceof z.ZodType ? purposeOf(field) : undefined;
    return [
      name,
      {
        ...(typeof property === 'object' ? property : {}),
        'x-audience': audience,
        ...(sealed === undefined ? {} : { 'x-sealed': sealed }),
      },
    ];
  });
  return {
    title: versionName(type, version),
    ...(version === newest ? {} : { deprecated: true }),
    ...body,
    properties: Object.fromEntries(properties),
  };
}
