// The health check inside an image that has no curl. Without arguments: whether the process says it is
// ready. `connected <port>`: whether an agent, which listens nowhere, is connected to its endpoint.
import { readFileSync } from 'node:fs';
import { argv, env, exit } from 'node:process';

const [, , what, port = ''] = argv;
if (what === 'connected') {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFileSync(file, 'utf8'));
  const wanted = Number(port).toString(16).toUpperCase().padStart(4, '0');
  // "sl local remote state …"; state 01 is an established connection.
  const there = tables.some((table) =>
    table.split('\n').some((line) => {
      const [, , remote = '', state] = line.trim().split(/\s+/);
      return state === '01' && remote.endsWith(`:${wanted}`);
    }),
  );
  exit(there ? 0 : 1);
}
const answer = await fetch(`http://127.0.0.1:${env['PORT'] ?? '4000'}/health/ready`).catch(
  () => undefined,
);
exit(answer?.ok === true ? 0 : 1);
