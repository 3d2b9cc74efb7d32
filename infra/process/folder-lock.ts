/**
 * One process a folder, where what is in it can have one writer only. The lock is a socket of Linux's
 * abstract names, which the kernel frees when its process ends, however it ends.
 */
import { stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { platform } from 'node:process';

/** Another process has the folder. The message says which and what to do. */
export class FolderInUse extends Error {
  constructor(folder: string, remedy: string) {
    super(`Another process runs on ${folder}. ${remedy}`);
    this.name = 'FolderInUse';
  }
}

/**
 * Takes the folder for as long as this process lives, or until the answer is called. Where there are
 * no abstract names (not on Linux) nothing is locked.
 *
 * @param use tells apart what may share a folder, e.g. `agent`.
 * @param remedy a sentence for whoever started the second one.
 * @throws {FolderInUse}
 */
export async function lockFolder(
  folder: string,
  use: string,
  remedy: string,
): Promise<() => Promise<void>> {
  if (platform !== 'linux') return () => Promise.resolve();
  // Not its path: the same folder may have several.
  const { dev, ino } = await stat(folder);
  const server = createServer((socket) => {
    socket.destroy();
  });
  await listen(server, `\0bivouac-${use}-${dev}-${ino}`).catch((error: unknown) => {
    throw isTaken(error) ? new FolderInUse(folder, remedy) : error;
  });
  // Being locked is no reason to go on running.
  server.unref();
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
    });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, resolve);
  });
}

function isTaken(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE'
  );
}
