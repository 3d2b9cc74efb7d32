// Starts Jest with the flags that ES modules need on Node 20, 22 and 24, on every shell alike.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
// `--selectProjects` would take every word behind it for a project: of ours it is given one.
const given = process.argv.slice(2);
const at = given.indexOf('--selectProjects');
if (at !== -1 && /^[^-]/.test(given[at + 2] ?? '')) given.splice(at + 2, 0, '--');
const child = spawn(
  process.execPath,
  ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...given],
  { stdio: 'inherit' },
);
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
