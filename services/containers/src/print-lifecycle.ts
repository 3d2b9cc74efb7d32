/** Writes `docs/container-lifecycle.md`, as it is checked in. */
import { writeFileSync } from 'node:fs';

import { lifecycleDocument } from './lifecycle-document.ts';

const file = new URL('../../../docs/container-lifecycle.md', import.meta.url);
writeFileSync(file, lifecycleDocument());
process.stdout.write(`wrote ${file.pathname}\n`);
