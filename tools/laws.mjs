// `npm run test:laws -- --minutes N`: tests whatever is tested by cases that are drawn (properties, shares of
// the sagas) with other seeds than `npm test`, again and again until the time is over, and stops at the first
// that fails. `--seed S` replays one; further words choose files, as Jest takes them.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { parseArgs } from 'node:util';

const { values, positionals } = given();
const minutes = whole('minutes', values.minutes);
const wanted = values.seed === undefined ? undefined : whole('seed', values.seed);
const files = await drawingFiles();
const until = Date.now() + minutes * 60_000;
let rounds = 0;
let failed;
do {
  const seed = wanted ?? randomInt(1, 2 ** 31);
  if (!(await holds(seed))) failed = seed;
  rounds += 1;
} while (failed === undefined && wanted === undefined && Date.now() < until);
console.log(`${files.length} files, ${rounds} rounds, ${failed === undefined ? 0 : 1} failed`);
if (failed !== undefined) {
  console.log(`replay: npm run test:laws -- --seed ${failed} ${positionals.join(' ')}`.trimEnd());
  process.exitCode = 1;
}

function given() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
    });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    console.error(`${what}. It takes --minutes N, --seed S and parts of the names of files.`);
    return process.exit(2);
  }
}

/**
 * @param {string} name
 * @param {string} text
 */
function whole(name, text) {
  if (/^\d{1,10}$/.test(text) && Number(text) > 0) return Number(text);
  console.error(`--${name} takes a whole number from 1, not ${JSON.stringify(text)}`);
  process.exit(2);
}

/** Files of tests that need no server and draw their cases. */
async function drawingFiles() {
  const found = [];
  for (const room of ['events', 'infra', 'services', 'graphql', 'test']) {
    for (const name of await readdir(room, { recursive: true })) {
      if (!/\.(unit|int)\.test\.ts$/.test(name) || name.includes('node_modules')) continue;
      const file = join(room, name);
      const text = await readFile(file, 'utf8');
      const chosen = positionals.length === 0 || positionals.some((one) => file.includes(one));
      if (chosen && text.includes("from 'fast-check'")) found.push(file);
    }
  }
  if (found.length > 0) return found;
  console.error(`No file of tests that draw their cases is named like ${positionals.join(', ')}`);
  process.exit(2);
}

/**
 * What a round says is shown where it fails.
 * @param {number} seed
 */
async function holds(seed) {
  const jest = join(import.meta.dirname, 'jest.mjs');
  const child = spawn(
    execPath,
    [jest, '--selectProjects', 'unit', '--silent', '--runTestsByPath', '--', ...files],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...env, TEST_SEED: String(seed) } },
  );
  /** @type {Buffer[]} */
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
  const [code] = await once(child, 'close');
  const held = code === 0;
  if (!held) console.log(Buffer.concat(said).toString());
  console.log(`seed ${seed} ${held ? 'holds' : 'fails'}`);
  return held;
}
