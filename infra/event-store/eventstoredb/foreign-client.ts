/**
 * Python's kurrentdbclient as a test asks it: a process of its own, in an environment that is made the
 * first time and kept. Its versions are those of `infra/dev/eventstore/requirements.txt`.
 */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';

const HERE = path.resolve(import.meta.dirname, '../../dev/eventstore');

const Told = z.union([
  z.object({ answer: z.json() }),
  z.object({ error: z.string(), message: z.string() }),
]);

/** An error of the client, by its class. */
export class ForeignError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/**
 * The Python to run it with, made in a folder where it is not there yet.
 *
 * @throws Error where it cannot be had, saying what is needed.
 */
export function foreignPython(
  folder = path.join(tmpdir(), `bivouac-dev-${userInfo().uid}`),
): string {
  const requirements = path.join(HERE, 'requirements.txt');
  const version = createHash('sha256')
    .update(readFileSync(requirements))
    .digest('hex')
    .slice(0, 12);
  const home = path.join(folder, `python-${version}`);
  const python = path.join(home, 'bin', 'python');
  if (existsSync(path.join(home, 'whole'))) return python;
  rmSync(home, { recursive: true, force: true });
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    execFileSync('python3', ['-m', 'venv', home], { stdio: 'pipe' });
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '-r',
      requirements,
    ];
    execFileSync(python, pip, { stdio: 'pipe' });
    writeFileSync(path.join(home, 'whole'), '');
    return python;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Python's kurrentdbclient cannot be had (python3 with venv is needed, and PyPI): ${why}`,
      { cause },
    );
  }
}

export class ForeignClient {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  constructor(python: string, url: string) {
    this.#child = spawn(python, [path.join(HERE, 'foreign_client.py'), url], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /**
   * Asks one thing and waits for the answer; one at a time.
   *
   * @throws ForeignError as the client itself says.
   */
  async ask(what: object): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(what)}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('the Python client has ended');
    const told = Told.parse(JSON.parse(line.value));
    if ('error' in told) throw new ForeignError(told.error, told.message);
    return told.answer;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await ended;
    this.#reader.close();
  }
}
