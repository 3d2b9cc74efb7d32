/** Scripts of this folder in processes of their own, so that what they use is theirs alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * Starts a script with the options this process was started with.
 *
 * @param memory `default`: without a larger young generation, which trades memory for speed.
 */
export function startChild(
  script: string,
  argument: string,
  memory: 'as here' | 'default' = 'as here',
): ChildProcess {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const options = process.execArgv.filter(
    (option) => memory === 'as here' || !option.startsWith('--max-semi-space-size'),
  );
  return spawn(process.execPath, [...options, file, argument], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
}

/** What a child says first. Rejects where it ends without a word; why is on stderr. */
export async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the child has no stdout');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`${child.spawnfile} ended without a word`);
}

/** Resolves when the child is gone and its files are free. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}
