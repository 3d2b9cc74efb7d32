/** A process of its own that serves its metrics, and is busy when it is told to be. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';

const program = fileURLToPath(import.meta.resolve('./busy-child.ts'));
const SaidSchema = z.object({ url: z.string() });

export interface BusyProcess {
  /** Where it is measured. */
  readonly url: string;
  /** Computes for 0.7 s at a time from now on; resolves when it has done so twelve times. */
  work(): Promise<void>;
  rest(): Promise<void>;
  stop(): Promise<void>;
}

export async function busyProcess(): Promise<BusyProcess> {
  const child = fork(program, { execArgv: ['--conditions=source', '--import', 'tsx'] });
  const { url } = SaidSchema.parse(await heard(child));
  return {
    url,
    work: () => told(child, 'work'),
    rest: () => told(child, 'rest'),
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Resolves when it has done so. */
async function told(child: ChildProcess, what: 'work' | 'rest'): Promise<void> {
  const answer = heard(child);
  child.send(what);
  await answer;
}

function heard(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => {
      reject(new Error(`the busy process has ended with ${code}`));
    });
  });
}
