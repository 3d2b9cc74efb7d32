/** Other processes that have the same keys, secrets or blobs open, each answering as the port does. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import { SealedSchema } from '@bivouac/events/language';
import { z } from 'zod';

import type { Blobs } from '../../blobs/port.ts';
import type { Secrets } from '../../secrets/port.ts';
import type { Keys } from '../port.ts';
import { AnswerSchema, type Call } from './calls.ts';

/** What a process answered instead of a value; the code is the port's. */
export class FailedCall extends Error {
  readonly code: string | undefined;
  constructor(message: string, code?: string) {
    super(message);
    this.name = 'FailedCall';
    this.code = code;
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class PortProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  /** @param program a build of `port-child.ts`. */
  constructor(program: string) {
    this.#child = fork(program, { execArgv: ['--enable-source-maps'] });
    this.#child.on('message', (message) => {
      const { id, value, error } = AnswerSchema.parse(message);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new FailedCall(error.message, error.code));
    });
    this.#child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new FailedCall('killed', 'killed'));
      this.#waiting.clear();
    });
  }

  /** Asks; the answer is the port's, or a {@link FailedCall} with its code, `killed` where it died. */
  ask(call: Call): Promise<unknown> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const dead = (): void => reject(new FailedCall('killed', 'killed'));
      if (!this.#child.connected) return dead();
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, call }, (error) => {
        if (error !== null) dead();
      });
    });
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    // Dying already: there is nobody to ask.
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const over = once(this.#child, 'exit');
    this.#child.kill(signal);
    await over;
  }

  async openKeys(folder: string, remember?: number): Promise<Keys> {
    await this.ask({ do: 'openKeys', folder, remember });
    return {
      seal: async (person, purpose, clear) =>
        SealedSchema.parse(await this.ask({ do: 'seal', person, purpose, clear })),
      open: async (sealed) => maybeText.parse(await this.ask({ do: 'open', sealed })),
      hmac: async (owner, bytes) =>
        z.string().parse(await this.ask({ do: 'hmac', owner, bytes: base64(bytes) })),
      destroy: async (person, purposes) =>
        void (await this.ask({ do: 'erase', person, purposes: [...purposes] })),
      forget: (person, purposes) =>
        void this.ask({ do: 'forget', person, purposes: [...purposes] }),
      close: async () => void (await this.ask({ do: 'closeKeys' })),
    };
  }

  async openSecrets(folder: string): Promise<Secrets> {
    await this.ask({ do: 'openSecrets', folder });
    return {
      put: async (reference, clear) => void (await this.ask({ do: 'put', reference, clear })),
      get: async (reference) => maybeText.parse(await this.ask({ do: 'get', reference })),
      destroy: async (reference) => void (await this.ask({ do: 'destroy', reference })),
      close: async () => void (await this.ask({ do: 'closeSecrets' })),
    };
  }

  async openBlobs(folder: string): Promise<Blobs> {
    await this.ask({ do: 'openBlobs', folder });
    return {
      put: async (content) =>
        z.string().parse(await this.ask({ do: 'putBlob', content: base64(content) })),
      get: async (digest) => {
        const content = maybeText.parse(await this.ask({ do: 'getBlob', digest }));
        return content === undefined ? undefined : Buffer.from(content, 'base64');
      },
    };
  }
}

const maybeText = z.string().optional();

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
