/**
 * Files that are there after a power cut or not at all: written beside, synced, renamed, and the
 * folder synced. Also what an operator has to do when the file system refuses.
 */
import { randomBytes } from 'node:crypto';
import {
  access,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const UNFINISHED = '.unfinished';

/** A name beside the file, of this write alone. */
function beside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}${UNFINISHED}`);
}

/**
 * Makes a folder (0700) where it is missing, checks that it can be used, and removes what writes cut
 * off by a crash have left. For folders that one process uses.
 */
export async function prepareFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncFolder(dirname(made));
  // Asking for permissions says little about a full disk or a read-only mount: writing does.
  const probe = beside(join(folder, 'probe'));
  await writeFile(probe, 'written to see whether it can be', { mode: 0o600 });
  await rm(probe);
  for (const name of await readdir(folder)) {
    if (name.endsWith(UNFINISHED)) await rm(join(folder, name), { force: true });
  }
}

/** Makes a folder inside a prepared one, durably. */
export async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncFolder(dirname(made));
}

/** Writes a file durably; what stood there is replaced at once or stays whole. */
export async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  await place(path, content, rename);
}

/** Writes a file durably unless one stands there. Answers whether it was written. */
export async function createFile(path: string, content: Uint8Array): Promise<boolean> {
  try {
    await place(path, content, link);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The content of a file, or undefined where there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether a file is there; anything but "no" and "yes" is an error. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Removes a file durably; nothing happens where there is none. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncFolder(dirname(path));
}

/**
 * Overwrites a file before removing it durably. On a disk that writes in place its content is gone
 * then; one that copies (flash, snapshots, a journal of data) may keep it, and nothing can be promised.
 */
export async function shredFile(path: string): Promise<void> {
  try {
    const file = await open(path, 'r+');
    try {
      const { size } = await file.stat();
      await file.write(randomBytes(size), 0, size, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  await removeFile(path);
}

async function place(
  path: string,
  content: Uint8Array,
  move: (from: string, to: string) => Promise<void>,
): Promise<void> {
  const unfinished = beside(path);
  try {
    const file = await open(unfinished, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await move(unfinished, path);
  } finally {
    // After a rename there is nothing left; after a link, or a failure, there is.
    await rm(unfinished, { force: true }).catch(() => undefined);
  }
  await syncFolder(dirname(path));
}

/** A new name is durable only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): string | undefined {
  // By shape: errors of the file system are not of every realm's Error.
  return typeof error === 'object' && error !== null && 'code' in error
    ? String(error.code)
    : undefined;
}

const remedies: Readonly<Record<string, string>> = {
  EACCES: 'permission denied; give the user this process runs as read and write access to it',
  EPERM: 'not permitted; give the user this process runs as read and write access to it',
  EROFS: 'the file system is read-only; mount it writable or choose another folder',
  ENOSPC: 'the disk is full; free space on it',
  EDQUOT: 'the disk quota is used up; raise it or free space',
  ENOTDIR: 'a part of the path is a file, not a folder; move it away or choose another folder',
  EISDIR: 'a folder stands where a file should be; move it away',
  ENOENT: 'it does not exist and cannot be made; make the folder or choose another',
  EMFILE: 'too many files are open; raise the limit of open files',
  ENFILE: 'too many files are open on this machine; raise the limit of open files',
  EIO: 'the disk reports an error; look into the kernel log and replace the disk',
};

/** What went wrong with a path and what to do about it, in one sentence. Holds no file content. */
export function fileTrouble(what: string, path: string, error: unknown): string {
  const code = codeOf(error);
  const remedy = remedies[code ?? ''] ?? 'look at the cause';
  return `cannot ${what} ${path}: ${remedy}${code === undefined ? '' : ` (${code})`}`;
}
