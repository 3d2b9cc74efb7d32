// `npm run bivouac -- status --watch` as a process: it looks until Ctrl-C, or until nobody reads any more.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import { afterAll, afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { bundledProgram, removeBuilds } from '../../../../../infra/process/testing/program.ts';

const cli = bundledProgram('services/all/src/cli.ts');
afterAll(removeBuilds);

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});

/** What is asked, which is well until it is told otherwise; `mute` answers nobody any more. */
async function asked() {
  const state = { health: 200, mute: false, asked: () => undefined as void };
  const server = createServer((request, response) => {
    state.asked();
    if (state.mute) return;
    if (request.url !== '/metrics') response.writeHead(state.health).end();
    else {
      const backup = Date.now() / 1000;
      response.end(
        `bivouac_build_info{part="relay",release="1"} 1\nbivouac_last_backup_timestamp_seconds ${backup}\n`,
      );
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return Object.assign(state, { url: `http://127.0.0.1:${port}` });
}

function watching(url: string, ...more: readonly string[]) {
  const child = spawn(
    process.execPath,
    [
      ...['--enable-source-maps', cli, 'status', '--watch', '--every', '1'],
      ...['--at', `relay=${url}`, ...more],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  closing.push(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, ended, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

const ReportSchema = z.object({
  ok: z.boolean(),
  problems: z.array(z.object({ alert: z.string() })),
});

async function next(lines: AsyncIterator<string>) {
  const { value } = z.object({ value: z.string() }).parse(await lines.next());
  return ReportSchema.parse(JSON.parse(value));
}

test('one object a look, of what is then; Ctrl-C ends it with what the last look found, also amid one', async () => {
  const relay = await asked();
  const { child, ended, lines } = watching(relay.url, '--json');
  expect(await next(lines)).toEqual({ ok: true, problems: [] });
  relay.health = 503;
  for (;;) {
    const { ok, problems } = await next(lines);
    if (ok) continue;
    expect(problems).toEqual([{ alert: 'ProcessDown' }]);
    break;
  }
  // Where it hangs Ctrl-C is not kept waiting for the five seconds of a look.
  relay.mute = true;
  await new Promise<void>((resolve) => {
    relay.asked = resolve;
  });
  child.kill('SIGINT');
  expect(await ended).toBe(1);
});

test('in a pipe it writes blocks without codes of a terminal, and ends where nobody reads them', async () => {
  const relay = await asked();
  const { child, ended, lines } = watching(relay.url);
  const read: string[] = [];
  while (read.filter((line) => line === 'All is well.').length < 2) {
    read.push(z.object({ value: z.string() }).parse(await lines.next()).value);
  }
  expect(read.join('\n')).not.toContain('\u001b');
  expect(read[0]).toMatch(/^\d{4}-\d\d-\d\dT.*Z, again every 1 s, Ctrl-C ends$/);
  child.stdout.destroy();
  expect(await ended).toBe(0);
});
