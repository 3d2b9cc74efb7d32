/** The Redis of the live tests: of a test's own, to kill, fill and silence; or that of CACHE_URL. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, stderr } from 'node:process';

import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';

/** A Redis of a test's own: nothing is kept on disk, the port is any that is free. */
export class OwnRedis {
  readonly port: number;
  readonly url: string;
  readonly #options: readonly string[];
  readonly #folder: string;
  #process: ChildProcess | undefined;
  #admin: Redis | undefined;

  private constructor(port: number, folder: string, options: readonly string[]) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#folder = folder;
    this.#options = options;
  }

  static async start(...options: readonly string[]): Promise<OwnRedis> {
    const folder = await mkdtemp(join(tmpdir(), 'bivouac-redis-'));
    const server = new OwnRedis(await freePort(), folder, options);
    await server.run();
    return server;
  }

  /** One that is reached by TLS alone; its URL names nobody to trust yet. */
  static async startSecure(tls: {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    /** Whether clients must show a certificate of the authority. */
    readonly askClients: boolean;
    readonly options?: readonly string[];
  }): Promise<OwnRedis> {
    const folder = await mkdtemp(join(tmpdir(), 'bivouac-redis-'));
    const port = await freePort();
    const server = new OwnRedis(port, folder, [
      ...['--port', '0', '--tls-port', String(port), '--tls-ca-cert-file', tls.ca],
      ...['--tls-cert-file', tls.cert, '--tls-key-file', tls.key],
      ...['--tls-auth-clients', tls.askClients ? 'yes' : 'no', ...(tls.options ?? [])],
    ]);
    await server.run();
    return server;
  }

  /** Also after a kill: at the same place, empty. */
  async run(): Promise<void> {
    const { port } = this;
    const given = ['--port', String(port), '--bind', '127.0.0.1', '--dir', this.#folder];
    const child = spawn('redis-server', [...given, '--save', '', ...this.#options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    let said = '';
    for await (const chunk of child.stdout) {
      said += String(chunk);
      if (said.includes('Ready to accept connections')) break;
    }
    child.stdout.resume();
    if (!said.includes('Ready to accept')) throw new Error(`redis-server did not start: ${said}`);
  }

  /** A plain client of it, for what a test does to it. */
  get admin(): Redis {
    this.#admin ??= adminOf(this.url);
    return this.#admin;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** From now on it accepts connections (its kernel does) and never answers, until it goes on. */
  silence(): void {
    this.#process?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#process?.kill('SIGCONT');
  }

  async dispose(): Promise<void> {
    this.#admin?.disconnect();
    this.goOn();
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export function adminOf(url: string): Redis {
  const admin = new Redis(url);
  // What it fails at, its calls say.
  admin.on('error', () => undefined);
  return admin;
}

/**
 * Lets time pass for the keys of a prefix, at once: each ends so much earlier. Redis itself ends them.
 */
export async function passFor(admin: Redis, prefix: string, milliseconds: number): Promise<void> {
  for (const key of await admin.keys(`${prefix}*`)) {
    const left = await admin.pttl(key);
    // -1: it has no end; -2: it is gone.
    if (left >= 0) await admin.pexpire(key, left - milliseconds);
  }
}

/** Runs the tests if redis-server is installed; else says so, which is a failure where all must run. */
export function withRedis(define: () => void): void {
  const found = spawnSync('redis-server', ['--version']).status === 0;
  if (found) {
    define();
    return;
  }
  test('redis-server is installed', () => {
    const missing = 'redis-server was not found: run infra/dev/up redis.';
    if (env['CI'] === 'true') throw new Error(missing);
    stderr.write(`${missing}\n`);
    expect(missing).toContain('infra/dev/up');
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  return address.port;
}
