// Compiles every workspace's sources to its `dist`, file by file, as the `default` condition of the
// packages' exports expects them. Types are checked by `npm run types`, not here: this is for images,
// where a process must start without compiling anything.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const root = path.resolve(import.meta.dirname, '..');
const { config, error } = ts.readConfigFile(path.join(root, 'tsconfig.base.json'), (file) =>
  readFileSync(file, 'utf8'),
);
if (error) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'));
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);

/** Where a workspace keeps its sources: what stands there comes to lie below `dist`. */
const sources = [
  ['events', '.'],
  ['infra', '.'],
  ['graphql', 'src'],
  ...readdirSync(path.join(root, 'services')).map((name) => [`services/${name}`, 'src']),
];

let count = 0;
for (const [workspace = '', below = ''] of sources) {
  const from = path.join(root, workspace, below);
  const to = path.join(root, workspace, 'dist');
  rmSync(to, { recursive: true, force: true });
  for (const file of filesBelow(from)) {
    const target = path.join(to, file);
    mkdirSync(path.dirname(target), { recursive: true });
    if (file.endsWith('.ts')) {
      writeFileSync(target.replace(/\.ts$/, '.js'), compiled(path.join(from, file)));
    } else {
      copyFileSync(path.join(from, file), target);
    }
    count += 1;
  }
}
console.log(`${count} files built.`);

/**
 * What is needed at run time, as paths relative to the folder.
 * @param {string} folder
 * @returns {string[]}
 */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js|json)$/.test(entry.name))
    .filter((entry) => !/\.test\.ts$|^package\.json$/.test(entry.name))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !/(^|[\\/])(dist|node_modules|data)[\\/]/.test(file));
}

/**
 * One source as JavaScript. Throws where it does not parse.
 * @param {string} file
 */
function compiled(file) {
  const { outputText, diagnostics = [] } = ts.transpileModule(readFileSync(file, 'utf8'), {
    fileName: file,
    // One file alone does not say that its package is of modules; all of ours are.
    compilerOptions: {
      ...options,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
    },
    reportDiagnostics: true,
  });
  const [first] = diagnostics;
  if (first)
    throw new Error(`${file}: ${ts.flattenDiagnosticMessageText(first.messageText, '\n')}`);
  return outputText;
}
