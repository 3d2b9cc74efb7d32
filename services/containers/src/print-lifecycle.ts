/** Writes `docs/container-lifecycle.md`, as it is checked in. */
import { writeFileSync } from 'node:fs';

import { lifecycleDocument } from './lifecycle-document.ts';

const file = new URL('../../../docs/container-lifecycle.md', import.meta.url);
writeFileSync(file, lifecycleDocument());
console.log(`wrote ${file.pathname}`);
