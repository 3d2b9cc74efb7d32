/**
 * Files that are there after a power cut or not at all: written beside, synced, renamed or linked, and
 * the folder synced. Several processes, also of several machines, may use a folder at once: what this
 * rests on is in docs/keys.md. Also what an operator has to do when the file system refuses.
 */
import { randomBytes } from 'node:crypto';
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

const UNFINISHED = '.unfinished';
/** Nobody writes one small file for so long; who was stopped in the middle of it writes it again. */
const ABANDONED_MILLISECONDS = 60 * 60 * 1000;
/** How often a file is written that others take away before it has its name. */
const ATTEMPTS = 3;

/** A name beside the file, of this write alone. */
function beside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}${UNFINISHED}`);
}

/**
 * Makes a folder (0700) where it is missing, checks that it can be used, and removes what writes cut
 * off by a crash have left: not what is so young that another process may be writing it.
 */
export async function prepareFolder(folder: string): Promise<void> {
  await makeDurably(folder);
  await sweep(folder, await timeOf(folder));
}

/** A folder inside a prepared one, and what is in it. */
export interface InnerFolder {
  readonly path: string;
  readonly files: readonly string[];
}

/** As {@link prepareFolder}, with the folders that {@link InnerFolders} has made in it, one by one. */
export async function* prepareTree(folder: string): AsyncGenerator<InnerFolder> {
  await makeDurably(folder);
  const now = await timeOf(folder);
  await sweep(folder, now);
  // Beside the folders are others' files of this moment.
  const inside = await readdir(folder, { withFileTypes: true });
  for (const { name } of inside.filter((entry) => entry.isDirectory())) {
    const path = join(folder, name);
    yield { path, files: await sweep(path, now) };
  }
}

/** Makes folders inside a prepared one, durably. */
export class InnerFolders {
  /** Those whose names are known to be on the disk. */
  readonly #durable = new Set<string>();

  async make(folder: string): Promise<void> {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (made === undefined && this.#durable.has(folder)) return;
    // Also for one that is there: another process may have made it and not have synced it yet.
    await syncFolder(dirname(folder));
    this.#durable.add(folder);
  }
}

/** Writes a file durably; what stood there is replaced at once or stays whole. */
export async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  const unfinished = await place(path, content, rename);
  try {
    await syncFolder(dirname(path));
  } finally {
    await discard(unfinished);
  }
}

/**
 * Writes a file durably unless one stands there: of several at once one is written. While it is not
 * known to be durable it has two names, see {@link readCreated}.
 */
export async function createFile(path: string, content: Uint8Array): Promise<void> {
  const unfinished = await place(path, content, async (from, to) => {
    try {
      await link(from, to);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  });
  try {
    // Also where another's stands: its maker may not have come so far yet.
    await syncFolder(dirname(path));
  } finally {
    await discard(unfinished);
  }
}

/**
 * The content of a file that {@link createFile} makes, or undefined where there is none. When it
 * answers, the file is durable: a power cut must not take a key of which something was sealed.
 */
export async function readCreated(path: string): Promise<Buffer | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const content = await file.readFile();
    if ((await file.stat()).nlink > 1) await syncFolder(dirname(path));
    return content;
  } finally {
    await file.close();
  }
}

/** Whether a file that {@link createFile} makes is there, durably. */
export async function isCreated(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).nlink > 1) await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
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

/** Sees to it that a file which another process may just have renamed to this name stays there. */
export async function keepFile(path: string): Promise<void> {
  await syncFolder(dirname(path));
}

/** What was begun for a file and not finished, by whoever is at it or was cut off. */
export async function unfinishedOf(path: string): Promise<string[]> {
  const folder = dirname(path);
  const begins = `.${basename(path)}.`;
  const names = await readdir(folder);
  return names
    .filter((name) => name.startsWith(begins) && name.endsWith(UNFINISHED))
    .map((name) => join(folder, name));
}

/** The name of the file that an unfinished one was to become; undefined for any other file. */
export function finishedName(name: string): string | undefined {
  return /^\.(.+)\.[0-9a-f]{12}\.unfinished$/.exec(name)?.[1];
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

/** Writes a file beside its place and gives it its name; answers the other name, which may be left. */
async function place(
  path: string,
  content: Uint8Array,
  move: (from: string, to: string) => Promise<void>,
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const unfinished = beside(path);
    try {
      const file = await open(unfinished, 'wx', 0o600);
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      await discard(unfinished);
      throw error;
    }
    try {
      await move(unfinished, path);
      return unfinished;
    } catch (error) {
      await discard(unfinished);
      // Taken away: this process stood still for so long, or the file belongs to who is erased now.
      if (codeOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error;
    }
  }
}

/** After a rename there is nothing left; after a link, or a failure, there is. */
async function discard(unfinished: string): Promise<void> {
  await rm(unfinished, { force: true }).catch(() => undefined);
}

async function makeDurably(folder: string): Promise<void> {
  const path = resolve(folder);
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    await syncFolder(parent);
    if (parent === dirname(made)) return;
  }
}

/** What time it is by the clock of the folder's file system, found by writing to it. */
async function timeOf(folder: string): Promise<number> {
  // Asking for permissions says little about a full disk or a read-only mount: writing does.
  const probe = beside(join(folder, 'probe'));
  await writeFile(probe, 'written to see whether it can be', { mode: 0o600 });
  const { mtimeMs } = await stat(probe);
  await rm(probe, { force: true });
  return mtimeMs;
}

/** Removes what was abandoned; answers the names of all other files. */
async function sweep(folder: string, now: number): Promise<string[]> {
  const left: string[] = [];
  for (const name of await readdir(folder)) {
    if (name.endsWith(UNFINISHED) && (await isAbandoned(join(folder, name), now))) {
      // Not overwritten: it may be another name of a file that is in use.
      await rm(join(folder, name), { force: true });
    } else left.push(name);
  }
  return left;
}

async function isAbandoned(path: string, now: number): Promise<boolean> {
  try {
    return now - (await stat(path)).mtimeMs > ABANDONED_MILLISECONDS;
  } catch (error) {
    // Finished since, or swept by another.
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
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
  EPERM:
    'not permitted; give the user this process runs as read and write access to it, on a file system with hard links',
  ENOTSUP: 'the file system lacks what is needed (hard links, syncing); choose one of docs/keys.md',
  ESTALE: 'the network file system has lost it; mount it again',
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
