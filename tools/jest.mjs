// Starts Jest with the flags that ES modules need on Node 20, 22 and 24, on every shell alike. With
// `--rolled` first, the tests know the newer version of an event to which they roll replicas.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
// `--selectProjects` would take every word behind it for a project: of ours it is given one.
const given = process.argv.slice(2);
const isRolled = given[0] === '--rolled';
if (isRolled) given.shift();
const at = given.indexOf('--selectProjects');
if (at !== -1 && /^[^-]/.test(given[at + 2] ?? '')) given.splice(at + 2, 0, '--');
const child = spawn(
  process.execPath,
  ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...given],
  { stdio: 'inherit', env: { ...process.env, ...(isRolled && { E2E_ROLLED: '1' }) } },
);
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
