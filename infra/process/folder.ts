/**
 * Makes sure that a folder can be written before anything is opened in it: what is wrong with it is
 * said in one sentence, and nothing half done is left.
 */
import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { RuntimeError } from '../runtime/errors.ts';

/**
 * Makes the folder and those above it. Throws a RuntimeError `misconfigured` that names it and the
 * setting to change.
 */
export async function writableFolder(folder: string, setting: string): Promise<void> {
  try {
    await made(resolve(folder));
    // Also root is refused here on a read-only file system.
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new RuntimeError(
      'misconfigured',
      `The data folder ${folder} cannot be written (${cause instanceof Error ? cause.message : String(cause)}). ` +
        `Make it writable for this user, or set ${setting} to another.`,
      { cause },
    );
  }
}

/**
 * One level at a time: Node's recursive mkdir never returns where the parent is there and the file
 * system says all the same that it is not (ENOENT), as /proc does.
 */
async function made(folder: string): Promise<void> {
  const there = await stat(folder).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (there?.isDirectory() === true) return;
  if (there !== undefined) throw new Error(`ENOTDIR: ${folder} is not a folder`);
  const parent = dirname(folder);
  if (parent !== folder) await made(parent);
  await mkdir(folder).catch((error: unknown) => {
    // Another start was quicker; the log's lock decides between the two.
    if (!hasCode(error, 'EEXIST')) throw error;
  });
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT');
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
