// Runs the end-to-end tests with every part in a process of its own: `node tools/processes.mjs`, with
// `--replicas 2` of each, `--rolled` while they are stopped, started and rolled to newer builds, and words
// that name the files to take. Needs the Kafka of BUS_URL, or the one
// that `infra/dev/up kafka` starts; several of each also the Redis of CACHE_URL, or of `infra/dev/up redis`.
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

const given = process.argv.slice(2);
const at = given.indexOf('--replicas');
const [replicas = '1'] = at === -1 ? [] : given.splice(at, 2).slice(1);
const rolledAt = given.indexOf('--rolled');
if (rolledAt !== -1) given.splice(rolledAt, 1);

/** What is needed, and where it is. */
const needed = [
  {
    name: 'kafka',
    url: process.env['BUS_URL'] ?? 'kafka://127.0.0.1:9092',
    first: /^kafka:\/\/([^,/?]+)/,
  },
  ...(replicas === '1'
    ? []
    : [
        {
          name: 'redis',
          url: process.env['CACHE_URL'] ?? 'redis://127.0.0.1:7379',
          first: /^rediss?:\/\/(?:[^@/]*@)?([^,/?]+)/,
        },
      ]),
];
const missing = [];
for (const { name, url, first } of needed) {
  const [host = '', port = ''] = (first.exec(url)?.[1] ?? '').split(':');
  if (!(await takesConnections(host, Number(port)))) {
    missing.push(name);
    console.warn(`${name} was not reached at ${host}:${port}: run infra/dev/up ${name}.`);
  }
}
if (missing.length === 0) run();
else if (process.env['CI'] === 'true') process.exitCode = 1;

/**
 * @param {string} host
 * @param {number} port
 */
function takesConnections(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

function run() {
  const words = given.length > 0 ? given : [''];
  const child = spawn(
    process.execPath,
    [
      ...[fileURLToPath(new URL('jest.mjs', import.meta.url)), '--maxWorkers=1'],
      ...[
        rolledAt === -1 ? '--testTimeout=180000' : '--testTimeout=900000',
        '--testPathIgnorePatterns',
        '/node_modules/',
      ],
      ...OF_ONE_PROCESS.files,
      ...['--testNamePattern', `^(?!${OF_ONE_PROCESS.tests.join('|')})`],
      ...['--selectProjects', 'unit', `test/e2e/.*(${words.join('|')})`],
    ],
    {
      stdio: 'inherit',
      env: { ...process.env, E2E_PROCESSES: replicas, ...(rolledAt !== -1 && { E2E_ROLLED: '1' }) },
    },
  );
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1;
  });
}
