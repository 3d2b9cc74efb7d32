/**
 * Snapshots as files of a folder, `<stream>.snapshot`. Not synced: what a power cut leaves of one is
 * found out by its checksum, and the log has everything.
 */
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { fileTrouble, prepareFolder, readIfThere } from '../../../blobs/durable-file.ts';
import { RuntimeError } from '../../errors.ts';
import type { SnapshotFiles } from './port.ts';

const ENDING = '.snapshot';
/** Longest name of a file; streams with longer names go without. */
const LONGEST = 200;

/**
 * Opens the folder, which is made where it is missing. For one process.
 *
 * @throws RuntimeError `misconfigured` where it cannot be written.
 */
export async function folderSnapshots(options: {
  readonly folder: string;
}): Promise<SnapshotFiles> {
  const { folder } = options;
  const kept = new Set((await names(folder)).filter((name) => name.endsWith(ENDING)));
  return {
    has: (stream) => kept.size > 0 && kept.has(fileOf(stream)),
    read: (stream) => readIfThere(join(folder, fileOf(stream))),
    write: async (stream, bytes) => {
      const name = fileOf(stream);
      if (name.length > LONGEST) return;
      // The name that prepareFolder clears away once it is old.
      const unfinished = join(folder, `.${name}.unfinished`);
      await writeFile(unfinished, bytes, { mode: 0o600 });
      await rename(unfinished, join(folder, name));
      kept.add(name);
    },
    remove: async (stream) => {
      const name = fileOf(stream);
      kept.delete(name);
      await rm(join(folder, name), { force: true });
    },
  };
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    await prepareFolder(folder);
    return await readdir(folder);
  } catch (cause) {
    throw new RuntimeError('misconfigured', fileTrouble('use the folder', folder, cause), {
      cause,
    });
  }
}

function fileOf(stream: string): string {
  return `${encodeURIComponent(stream)}${ENDING}`;
}
