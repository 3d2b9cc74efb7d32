/** The documents of docs/events/ as text, the same for the same events. */
import { asyncApiDocument } from './asyncapi.ts';
import { eventsByContext } from './contexts.ts';
import { contextDocument, type JsonSchema } from './json-schemas.ts';

/** Of the published language, not of a release of the code: raised with the first that changes it. */
const LANGUAGE_VERSION = '1.0.0';

/** By the name of the file. */
export function documents(): ReadonlyMap<string, string> {
  const contexts = eventsByContext();
  const files = [...contexts].map(([context, definitions]): [string, string] => [
    `${context}.json`,
    textOf(contextDocument(context, definitions)),
  ]);
  return new Map([
    ...files,
    ['asyncapi.json', textOf(asyncApiDocument(contexts, LANGUAGE_VERSION))],
  ]);
}

/** The schema of every version of every event, by its name. */
export function presentSchemas(): Readonly<Record<string, JsonSchema>> {
  return Object.assign(
    {},
    ...[...eventsByContext()].map(
      ([context, definitions]) => contextDocument(context, definitions).definitions,
    ),
  ) as Readonly<Record<string, JsonSchema>>;
}

/** What is kept of a release: small, since nobody reads it but the check. */
export function releasedSchemas(): string {
  const lines = Object.entries(presentSchemas()).map(
    ([name, schema]) => `${JSON.stringify(name)}:${JSON.stringify(schema)}`,
  );
  return `{\n${lines.join(',\n')}\n}\n`;
}

function textOf(document: JsonSchema): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
