/**
 * Snapshots as files of a folder, `<stream>.snapshot`. Not synced: what a power cut leaves of one is
 * found out by its checksum, and the log has everything.
 */
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { prepareFolder, readIfThere } from '../../../blobs/durable-file.ts';
import type { SnapshotFiles } from './port.ts';

const ENDING = '.snapshot';
/** Longest name of a file; streams with longer names go without. */
const LONGEST = 200;

/** Opens the folder, which is made where it is missing. For one process. */
export async function folderSnapshots(options: {
  readonly folder: string;
}): Promise<SnapshotFiles> {
  const { folder } = options;
  await prepareFolder(folder);
  const kept = new Set((await readdir(folder)).filter((name) => name.endsWith(ENDING)));
  return {
    has: (stream) => kept.size > 0 && kept.has(fileOf(stream)),
    read: (stream) => readIfThere(join(folder, fileOf(stream))),
    write: async (stream, bytes) => {
      const name = fileOf(stream);
      if (name.length > LONGEST) return;
      // The name that prepareFolder clears away.
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

function fileOf(stream: string): string {
  return `${encodeURIComponent(stream)}${ENDING}`;
}
