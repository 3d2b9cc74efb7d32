/** What the documentation has people paste works: every request in it is one that the schema answers. */
import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';
import { parse, validate } from 'graphql';
import { z } from 'zod';

import { schema } from './schema.ts';

const root = new URL('../../', import.meta.url);
const pages = [
  'README.md',
  ...readdirSync(new URL('docs/', root)).flatMap((name) =>
    name.endsWith('.md') ? [`docs/${name}`] : [],
  ),
];
const Body = z.object({ query: z.string() });

/** The requests of a page: blocks of GraphQL, and what its shell commands send as a body. */
function requestsOf(page: string): string[] {
  const text = readFileSync(new URL(page, root), 'utf8');
  const blocks = (language: string): string[] =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(
      ([, block = '']) => block,
    );
  const bodies = blocks('sh').flatMap((block) =>
    [...block.matchAll(/'(\{[^']*"query"[^']*\})'/g)].map(([, body = '']) => body),
  );
  return [
    ...blocks('graphql'),
    ...bodies.map((body) => Body.parse(JSON.parse(body) as unknown).query),
  ];
}

const written = pages.flatMap((page) => requestsOf(page).map((request) => ({ page, request })));

test('the pages have requests, in both ways of writing them', () => {
  const having = new Set(written.map(({ page }) => page));
  expect([...having]).toEqual(expect.arrayContaining(['README.md', 'docs/graphql.md']));
  expect(requestsOf('README.md')).toHaveLength(3);
});

describe('a request in', () => {
  test.each(written)('$page is valid: $request', ({ request }) => {
    expect(validate(schema, parse(request)).map(({ message }) => message)).toEqual([]);
  });
});
