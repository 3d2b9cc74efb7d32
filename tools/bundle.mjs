// Bundles a program of ours into one file that Node starts at once: `node tools/bundle.mjs <entry> <file>`.
// Packages stay outside, so the file has to be where they are found. `--replace <source>=<other>`: the
// build has another file in place of one, as a later release would. What a source finds beside it (the
// log's writer, which runs in a thread of its own) is found beside the source.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { build } from 'esbuild';

const [, , entry = '', outfile = '', ...options] = process.argv;
const replaced = new Map();
for (let i = 0; i < options.length; i += 2) {
  const [source = '', other = ''] = (options[i + 1] ?? '').split('=');
  if (options[i] !== '--replace' || other === '') throw new Error(`unknown: ${options.join(' ')}`);
  replaced.set(resolve(source), resolve(other));
}

/** @type {import('esbuild').Plugin} */
const ours = {
  name: 'ours',
  setup: (bundling) => {
    bundling.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      path.startsWith('@bivouac/') || kind === 'entry-point' ? undefined : { external: true },
    );
    bundling.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (path.includes('node_modules') || !source.includes('import.meta.url')) return undefined;
      const here = JSON.stringify(pathToFileURL(path).href);
      return { contents: source.replaceAll('import.meta.url', here), loader: 'ts' };
    });
    bundling.onResolve({ filter: /^\./ }, ({ path, resolveDir, importer }) => {
      const other = replaced.get(resolve(resolveDir, path));
      // What stands in for a file may import the file.
      return other === undefined || importer === other ? undefined : { path: other };
    });
  },
};

await build({
  ...{ entryPoints: [entry], outfile, bundle: true, logLevel: 'warning' },
  ...{ platform: 'node', format: 'esm', target: 'node20', conditions: ['source'] },
  plugins: [ours],
  sourcemap: 'inline',
});
