/** A process whose clock is off appends: what it is told. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const Answer = z.union([z.object({ revision: z.string() }), z.object({ error: z.string() })]);

/** Appends two events to `pool-1` of a new log from a process whose clock is so many milliseconds off. */
export async function appendWithClock(
  off: number,
  url: string,
  folder: string,
): Promise<z.output<typeof Answer>> {
  const file = fileURLToPath(new URL('./clock-child.ts', import.meta.url));
  const args = ['--conditions=source', '--import', 'tsx', file, String(off), url, folder];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Answer.parse(JSON.parse(stdout));
}
