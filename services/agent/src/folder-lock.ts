/**
 * One agent process a folder: the fence holds only if nobody else writes it. The lock is a socket of
 * Linux's abstract names, which the kernel frees when its process ends, however it ends.
 */
import { stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { platform } from 'node:process';

/** Another process has the folder. */
export class FolderInUse extends Error {
  constructor(folder: string) {
    super(
      `Another agent runs on ${folder}. Stop it, or set AGENT_DIR to a folder of this agent's own.`,
    );
    this.name = 'FolderInUse';
  }
}

/**
 * Takes the folder for as long as this process lives, or until the answer is called. Where there are
 * no abstract names (not on Linux) nothing is locked.
 *
 * @throws {FolderInUse}
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  if (platform !== 'linux') return () => Promise.resolve();
  // Not its path: the same folder may have several.
  const { dev, ino } = await stat(folder);
  const server = createServer((socket) => {
    socket.destroy();
  });
  await listen(server, `\0bivouac-agent-${dev}-${ino}`, folder);
  // Being locked is no reason to go on running.
  server.unref();
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
    });
}

function listen(server: Server, path: string, folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new FolderInUse(folder) : error);
    });
    server.listen({ path }, resolve);
  });
}
