/** Builds of a set's processes. */
import type { Build } from '@bivouac/all';

import { bundledProgram } from '../../infra/process/testing/program.ts';

/**
 * Bundles the sources of a set's processes; `removeBuilds` removes them.
 *
 * @param replaced files in place of others, by their paths in the repository: a later release.
 */
export function bundled(replaced: Readonly<Record<string, string>> = {}): Build {
  const file = bundledProgram('services/all/src/processes/child.ts', replaced);
  return { args: ['--max-semi-space-size=16', '--enable-source-maps', file] };
}
