/** Writes `graphql/schema.graphql`, the schema as it is checked in. Run by `npm run schema`. */
import { writeFileSync } from 'node:fs';

import { sdl } from './sdl.ts';

const file = new URL('../schema.graphql', import.meta.url);
writeFileSync(file, sdl());
console.log(`wrote ${file.pathname}`);
