/** Builds of a set's processes: one file each, which starts in a quarter of the time of the sources. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Build } from '@bivouac/all';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Where the packages are found that a build leaves outside. */
const cache = join(root, 'node_modules', '.cache');
const made: string[] = [];

/**
 * Bundles the sources.
 *
 * @param replaced files in place of others, by their paths in the repository: a later release.
 */
export function bundled(replaced: Readonly<Record<string, string>> = {}): Build {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'bivouac-processes-'));
  made.push(folder);
  const file = join(folder, 'child.mjs');
  execFileSync(
    process.execPath,
    [
      ...['tools/bundle.mjs', 'services/all/src/processes/child.ts', file],
      ...Object.entries(replaced).flatMap(([source, other]) => ['--replace', `${source}=${other}`]),
    ],
    { cwd: root, stdio: 'inherit' },
  );
  return { args: ['--max-semi-space-size=16', '--enable-source-maps', file] };
}

/** Removes what was built here. */
export function removeBuilds(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}
