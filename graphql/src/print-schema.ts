/**
 * Writes `graphql/schema.graphql`, the schema as it is checked in; with `--released` also
 * `graphql/released.graphql`, which clients of the release were written for. Run by `npm run schema`.
 */
import { writeFileSync } from 'node:fs';

import { sdl } from './sdl.ts';

const names = [
  'schema.graphql',
  ...(process.argv.includes('--released') ? ['released.graphql'] : []),
];
for (const name of names) {
  const file = new URL(`../${name}`, import.meta.url);
  writeFileSync(file, sdl());
  console.log(`wrote ${file.pathname}`);
}
