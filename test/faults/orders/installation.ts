/** An installation in a process of its own, as the one who starts and kills it sees it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { type FromInstallation, FromInstallationSchema, type ToInstallation } from './messages.ts';

export interface StartOptions {
  /** The data folder. */
  readonly folder: string;
  readonly seed: number;
  readonly nodeUrl: string;
  /** How far its clock is before the machine's, in milliseconds. */
  readonly ahead: number;
  /** At which checkpoint of its reactions it kills itself; null: it is killed from here. */
  readonly dieAt: number | null;
}

export class Installation {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #said: FromInstallation[] = [];
  #wake: () => void = () => undefined;
  #over = false;

  constructor({ folder, ...start }: StartOptions) {
    const file = fileURLToPath(new URL('./installation-child.ts', import.meta.url));
    this.#process = spawn(
      process.execPath,
      ['--conditions=source', '--import', 'tsx', file, folder, JSON.stringify(start)],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    // What is told to a killed process gets lost: that is what this is about.
    this.#process.stdin.on('error', () => undefined);
    createInterface(this.#process.stdout).on('line', (line) => {
      // A line that a kill has cut in two was not said.
      const message = parsed(line);
      if (message !== undefined) this.#said.push(message);
      this.#wake();
    });
    void once(this.#process, 'close').then(() => {
      this.#over = true;
      this.#wake();
    });
  }

  tell(message: ToInstallation): void {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /**
   * What it says next. `over`: it has ended and all it said was given. `silent`: nothing for so many
   * milliseconds.
   */
  async next(patience: number): Promise<FromInstallation | 'silent' | 'over'> {
    let silent = false;
    for (;;) {
      const message = this.#said.shift();
      if (message !== undefined) return message;
      if (this.#over) return 'over';
      if (silent) return 'silent';
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          silent = true;
          resolve();
        }, patience);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Kills it; resolves when it is gone, with what it had said and nobody had heard yet. */
  async end(): Promise<FromInstallation[]> {
    this.kill();
    const rest: FromInstallation[] = [];
    for (;;) {
      const message = await this.next(60_000);
      if (message === 'over') return rest;
      if (message === 'silent') throw new Error('a killed process does not end');
      rest.push(message);
    }
  }
}

function parsed(line: string): FromInstallation | undefined {
  try {
    return FromInstallationSchema.parse(JSON.parse(line));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
