/** What the processes of a set run: the sources as they are, or a build of them. */
import { fileURLToPath } from 'node:url';

export interface Build {
  /** Behind `node`. */
  readonly args: readonly string[];
}

/** The sources of this release. */
export const sources: Build = {
  args: [
    ...['--max-semi-space-size=16', '--conditions=source', '--import', 'tsx'],
    fileURLToPath(new URL('./child.ts', import.meta.url)),
  ],
};
