/**
 * Writes the documents of docs/events/ as they are checked in; with `--released` also
 * `events/released.schemas.json`, which says what a release must go on taking. Run by
 * `npm run schemas`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';

import { documents, releasedSchemas } from './documents.ts';

const folder = new URL('../../docs/events/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, text] of documents()) writeFileSync(new URL(name, folder), text);
if (process.argv.includes('--released')) {
  writeFileSync(new URL('../released.schemas.json', import.meta.url), releasedSchemas());
}
process.stdout.write(`wrote ${folder.pathname}\n`);
