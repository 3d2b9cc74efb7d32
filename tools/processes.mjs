// Runs the end-to-end tests with every part in a process of its own: `node tools/processes.mjs`, with
// `--replicas 2` of each, and words that name the files to take. Needs the Kafka of BUS_URL, or the one
// that `infra/dev/up kafka` starts.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** What is of one process by its nature, and why. */
const OF_ONE_PROCESS = {
  files: [
    // `npm start` itself: how the one process starts, says what is wrong, and ends.
    'process.int',
    // How canaries are searched for: runs no installation.
    'canaries.int',
    // Its traces are of one process; test/live/traces.live.test.ts has those of many.
    'traces.int',
  ],
  tests: [
    // Verifies the embedded log's folder by the command line; processes have theirs on an EventStoreDB.
    'an erased person is in no file, log or message',
    // Takes the store away from the audit service, within its process.
    'what cannot be asked is refused by name; what cannot be recorded is not answered',
  ],
};
/** The month is played by test/live/processes-month.live.test.ts, on two replicas. */
const ELSEWHERE = ['month.int'];

const given = process.argv.slice(2);
const at = given.indexOf('--replicas');
const [replicas = '1'] = at === -1 ? [] : given.splice(at, 2).slice(1);

const url = process.env['BUS_URL'] ?? 'kafka://127.0.0.1:9092';
const [host = '', port = ''] = (/^kafka:\/\/([^,/?]+)/.exec(url)?.[1] ?? '').split(':');
const there = await new Promise((resolve) => {
  const socket = connect({ host, port: Number(port) });
  socket.once('connect', () => {
    socket.destroy();
    resolve(true);
  });
  socket.once('error', () => {
    resolve(false);
  });
});
if (there) run();
else {
  console.warn(`Kafka was not reached at ${host}:${port}: run infra/dev/up kafka.`);
  if (process.env['CI'] === 'true') process.exitCode = 1;
}

function run() {
  const words = given.length > 0 ? given : [''];
  const child = spawn(
    process.execPath,
    [
      ...[fileURLToPath(new URL('jest.mjs', import.meta.url)), '--runInBand'],
      ...['--testTimeout=180000', '--testPathIgnorePatterns', '/node_modules/'],
      ...[...OF_ONE_PROCESS.files, ...ELSEWHERE],
      ...['--testNamePattern', `^(?!${OF_ONE_PROCESS.tests.join('|')})`],
      ...['--selectProjects', 'unit', `test/e2e/.*(${words.join('|')})`],
    ],
    { stdio: 'inherit', env: { ...process.env, E2E_PROCESSES: replicas } },
  );
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1;
  });
}
