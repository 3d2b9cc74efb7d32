/** `npm start` as a process: what keeps it from running is said in a sentence, with exit code 1. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { afterAll, afterEach, expect, test } from '@jest/globals';

import { bundledProgram, removeBuilds } from '../../infra/process/testing/program.ts';
import { closeAll, newFolder } from './installation.ts';

const main = bundledProgram('services/all/src/main.ts');
afterAll(removeBuilds);

const started: ChildProcess[] = [];

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
  await closeAll();
});

interface Started {
  readonly child: ChildProcess;
  /** Everything said so far. */
  readonly said: () => string;
  /** What was said in all, and the exit code. */
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>;
  /** Where it listens; rejects where it ends before. */
  readonly ready: Promise<string>;
}

function start(environment: Record<string, string>): Started {
  const child = spawn(process.execPath, ['--enable-source-maps', main], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'warn',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let said = '';
  const ended = new Promise<{ code: number | null; said: string }>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, said });
    });
  });
  const ready = new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      const url = /ready: (http:\S+)\/graphql[\s\S]*Ctrl-C/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    void ended.then(() => {
      reject(new Error(said));
    });
  });
  ready.catch(() => undefined);
  return { child, said: () => said, ended, ready };
}

const on = (folder: string) => ({ DATA_DIR: folder, EVENT_STORE_URL: `sqlite:${folder}` });

/** A sentence for a person, no stack trace. */
function expectSentence(
  { code, said }: { code: number | null; said: string },
  words: RegExp,
): void {
  expect(said).toMatch(words);
  expect(said).toMatch(/Bivouac cannot run: /);
  expect(said).not.toMatch(/\n\s+at .*:\d+/);
  expect(code).toBe(1);
}

test('the first start prints a working key, kept for its owner alone; a second on the same data says that it is in use', async () => {
  const folder = await newFolder();
  const first = start(on(folder));
  const url = await first.ready;
  const key = (await readFile(join(folder, 'demo.key'), 'utf8')).trim();
  expect(first.said()).toContain(key);
  expect((await stat(join(folder, 'demo.key'))).mode & 0o777).toBe(0o600);
  const ask = async (at: string): Promise<unknown> => {
    const response = await fetch(`${at}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: '{"query":"{ accounts(first: 5) { edges { node { name } } } }"}',
    });
    return response.json();
  };
  const seen = await ask(url);
  expect(JSON.stringify(seen)).toContain('Demo Customer');

  expectSentence(await start(on(folder)).ended, /in use|another process|already/i);
  // The first one does not mind.
  expect(await ask(url)).toEqual(seen);

  first.child.kill('SIGTERM');
  expect((await first.ended).code).toBe(0);
  const again = start(on(folder));
  expect(await ask(await again.ready)).toEqual(seen);
  expect((await readFile(join(folder, 'demo.key'), 'utf8')).trim()).toBe(key);
  again.child.kill('SIGINT');
  expect((await again.ended).code).toBe(0);
}, 60_000);

test('a port in use is named with the remedy, and the data can be used by the next start', async () => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';
  const folder = await newFolder();
  try {
    expectSentence(
      await start({ ...on(folder), PORT: port }).ended,
      new RegExp(`Port ${port} .* in use.*PORT`),
    );
    // It was said before anything was made.
    expect(await readdir(folder)).toEqual([]);
  } finally {
    taken.close();
  }
  const next = start(on(folder));
  await next.ready;
  next.child.kill('SIGTERM');
  expect((await next.ended).code).toBe(0);
}, 60_000);

test('a data folder that cannot be written is named with the remedy, and nothing is left', async () => {
  const folder = await newFolder();
  const file = join(folder, 'a-file');
  await writeFile(file, 'not a folder');
  const [inFile, inProc, log] = await Promise.all([
    start(on(file)).ended,
    start(on('/proc/bivouac')).ended,
    start({ DATA_DIR: join(folder, 'data'), EVENT_STORE_URL: 'sqlite:/proc/bivouac' }).ended,
  ]);
  expectSentence(inFile, /data folder .*a-file.*DATA_DIR/);
  expectSentence(inProc, /data folder \/proc\/bivouac.*DATA_DIR/);
  expectSentence(log, /\/proc\/bivouac/);
  expect(await readFile(file, 'utf8')).toBe('not a folder');
  expect(await readdir(join(folder, 'data')).catch(() => [])).toEqual([]);
}, 60_000);

test('settings that do not fit are all named at once, and nothing is made', async () => {
  const folder = await newFolder();
  const settings = start({ ...on(folder), PORT: '70000', LOG_LEVEL: 'loud', SHUTDOWN_MS: 'soon' });
  const nodes = start({ ...on(folder), NODE_URL: 'fake:?nodes=0&colour=red' });
  const ended = await settings.ended;
  for (const name of ['PORT', 'LOG_LEVEL', 'SHUTDOWN_MS']) expect(ended.said).toContain(name);
  expectSentence(ended, /configuration/);
  const node = await nodes.ended;
  for (const name of ['nodes', 'colour']) expect(node.said).toContain(name);
  expectSentence(node, /node URL/);
  expect(await readdir(folder)).toEqual([]);
}, 60_000);
