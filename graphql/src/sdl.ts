/** The schema as text, the same for the same schema. */
import { lexicographicSortSchema, printSchema } from 'graphql';

import { schema } from './schema.ts';

const preface = `# The schema of Bivouac's GraphQL API, written by \`npm run schema\`. Do not edit it.
`;

export function sdl(): string {
  return `${preface}\n${printSchema(lexicographicSortSchema(schema))}\n`;
}
