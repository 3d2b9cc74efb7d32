/** Programs of this repository as one file each, for tests: they start in a quarter of the sources' time. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Where the packages are found that a build leaves outside. */
const cache = join(root, 'node_modules', '.cache');
const made: string[] = [];

/**
 * Bundles a program: the file to start. {@link removeBuilds} removes it.
 *
 * @param program its path in the repository.
 * @param replaced files in place of others, by their paths in the repository: a later release.
 */
export function bundledProgram(
  program: string,
  replaced: Readonly<Record<string, string>> = {},
): string {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'bivouac-processes-'));
  made.push(folder);
  const file = join(folder, `${basename(program, '.ts')}.mjs`);
  execFileSync(
    process.execPath,
    [
      ...['tools/bundle.mjs', program, file],
      ...Object.entries(replaced).flatMap(([source, other]) => ['--replace', `${source}=${other}`]),
    ],
    { cwd: root, stdio: 'inherit' },
  );
  return file;
}

/** Removes what was built here. */
export function removeBuilds(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}
