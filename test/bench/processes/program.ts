/** A program of the system in a process of its own, built as images have it, as the benchmarks watch it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../..', import.meta.url));

let building: Promise<unknown> | undefined;

/** Compiles the sources, once: what runs in production has no compiler in its memory. */
export async function build(): Promise<void> {
  building ??= promisify(execFile)(process.execPath, [path.join(root, 'tools/build.mjs')]);
  await building;
}

// A benchmark that is broken off leaves nothing behind.
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** What a process has used. */
export interface Usage {
  /** Resident bytes, shared libraries included. */
  readonly resident: number;
  /** Seconds on a processor since it started, in user and system mode. */
  readonly cpuSeconds: number;
}

/** Linux counts the time on a processor in hundredths of a second. */
const TICKS = 100;

export class Program {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(name: string, process: ChildProcess) {
    this.name = name;
    this.#process = process;
    this.#ended = once(process, 'exit');
  }

  /**
   * Starts a script, a path from the root of the repository. Resolves with what the first group of
   * `ready` has matched on its stdout; rejects where it ends before.
   */
  static async start(
    name: string,
    how: {
      readonly script: string;
      readonly args?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
      readonly ready: RegExp;
    },
  ): Promise<{ readonly program: Program; readonly said: string }> {
    const child = spawn(process.execPath, [path.join(root, how.script), ...(how.args ?? [])], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...how.env },
    });
    const program = new Program(name, child);
    running.add(child);
    child.once('exit', () => running.delete(child));
    for await (const line of createInterface({ input: child.stdout })) {
      const said = how.ready.exec(line)?.[1];
      if (said === undefined) continue;
      // Nobody reads what else it says.
      child.stdout.resume();
      return { program, said };
    }
    throw new Error(`${name} ended before it was ready`);
  }

  async usage(): Promise<Usage> {
    const proc = `/proc/${this.#process.pid ?? 0}`;
    const [status, stat] = await Promise.all([
      readFile(`${proc}/status`, 'utf8'),
      readFile(`${proc}/stat`, 'utf8'),
    ]);
    const resident = 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    // The name of the program may contain blanks and brackets: fields are counted behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS;
    if (Number.isNaN(resident + cpuSeconds)) throw new Error(`${proc} is not understood`);
    return { resident, cpuSeconds };
  }

  /** In order, as an operator stops it. */
  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.#ended;
  }
}
