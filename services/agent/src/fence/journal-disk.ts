/** The files of journals: the machine's, unless a test has others that tear and forget as disks do. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

/** An open file that only grows. */
export interface JournalFile {
  appendFile(data: Uint8Array): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

export interface JournalDisk {
  /** Makes a folder for its owner alone, with those above it; of one that is there: nothing. */
  mkdir(folder: string): Promise<void>;
  /** What a file holds; undefined where there is none. */
  read(file: string): Promise<Uint8Array | undefined>;
  /** Opens a new, empty file for its owner alone. */
  create(file: string): Promise<JournalFile>;
  /** Opens a file to go on behind its first bytes; the rest is gone, durably. */
  continue(file: string, bytes: number): Promise<JournalFile>;
  /** Puts a file in the place of another, durably, in the same folder. */
  replace(file: string, by: string): Promise<void>;
}

const NotFound = z.object({ code: z.literal('ENOENT') });

/** The machine's. */
export const machineDisk: JournalDisk = {
  mkdir: async (folder) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  },
  read: (file) =>
    readFile(file).catch((error: unknown) => {
      if (NotFound.safeParse(error).success) return undefined;
      throw error;
    }),
  create: (file) => open(file, 'w', 0o600),
  continue: async (file, bytes) => {
    const handle = await open(file, 'a');
    await handle.truncate(bytes);
    await handle.datasync();
    return handle;
  },
  replace: async (file, by) => {
    await rename(by, file);
    const folder = await open(dirname(file), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};
