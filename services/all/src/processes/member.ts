/** A process of a set, as the set sees it: asked, told to be a part, killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { RuntimeError } from '@bivouac/infra/runtime';
import type { z } from 'zod';

import type { Build } from './build.ts';
import { FromProcessSchema, type Request, type ToProcess } from './messages.ts';

interface Asked {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Member {
  readonly build: Build;
  /** Resolves when the process has ended, however it did. */
  readonly ended: Promise<void>;
  /** Told what it says of its own: that something which must run has stopped. */
  onFailed: (message: string) => void = () => undefined;
  readonly #process: ChildProcess;
  readonly #asked = new Map<number, Asked>();
  #last = 0;
  #over = false;

  constructor(build: Build) {
    this.build = build;
    this.#process = spawn(process.execPath, [...build.args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Its settings come with what it is told to become.
      env: { NODE_ENV: 'production' },
    });
    this.#process.on('message', (said) => {
      this.#hear(said);
    });
    this.#process.on('error', () => undefined);
    this.ended = once(this.#process, 'exit').then(
      () => {
        this.#gone();
      },
      () => {
        this.#gone();
      },
    );
  }

  get over(): boolean {
    return this.#over;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Throws `unavailable` where the process ends before it has answered. */
  async ask<S extends z.ZodType>(schema: S, request: Request): Promise<z.output<S>> {
    const answer = await new Promise<unknown>((resolve, reject) => {
      if (this.#over) {
        reject(gone());
        return;
      }
      const id = ++this.#last;
      this.#asked.set(id, { resolve, reject });
      const message: ToProcess = { id, request };
      this.#process.send(message, (error) => {
        if (error !== null) this.#asked.get(id)?.reject(gone());
      });
    });
    return schema.parse(answer);
  }

  /** SIGKILL; resolves when it has ended. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }

  #hear(said: unknown): void {
    const message = FromProcessSchema.parse(said);
    if ('failed' in message) {
      this.onFailed(message.failed);
      return;
    }
    const asked = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    if ('refused' in message) asked?.reject(new Error(message.refused));
    else asked?.resolve(message.answer);
  }

  #gone(): void {
    this.#over = true;
    for (const { reject } of this.#asked.values()) reject(gone());
    this.#asked.clear();
  }
}

function gone(): RuntimeError {
  return new RuntimeError('unavailable', 'the process has ended');
}
