/** Keys in a folder: `master.key` and one file per (person, purpose). Processes may share it. */
import { join } from 'node:path';

import { fileTrouble, prepareFolder } from '../blobs/durable-file.ts';
import { FolderShelf } from './folder-shelf.ts';
import { type ErasedKeys, Keyring, type KeyringOptions } from './keyring.ts';
import { openMasterKey } from './master-key.ts';
import { KeyError, type Keys } from './port.ts';

export interface FolderKeysOptions extends KeyringOptions {
  readonly folder: string;
  /** The file of the master key, where it is kept apart from the folder. */
  readonly masterFile?: string | undefined;
  /** What the log calls erased: destroyed again here, so that no restored backup undoes it. */
  readonly erased?: readonly ErasedKeys[];
}

/**
 * Opens the folder, making it and its master key where they are missing.
 *
 * @throws KeyError `unavailable` or `corrupt`, naming the path and the remedy.
 */
export async function folderKeys(options: FolderKeysOptions): Promise<Keys> {
  const { folder, masterFile, erased = [] } = options;
  try {
    await prepareFolder(folder);
  } catch (cause) {
    throw new KeyError('unavailable', fileTrouble('use the folder', folder, cause), { cause });
  }
  const { shelf, empty } = await FolderShelf.open(join(folder, 'persons'));
  const master = await openMasterKey({ folder, file: masterFile, wraps: !empty });
  if ('trouble' in master) {
    const { code, message, cause } = master.trouble;
    throw new KeyError(code, message, { cause });
  }
  const keys = new Keyring(master.key, shelf, options);
  for (const { person, purposes } of erased) {
    await keys.destroy(person, purposes);
  }
  return keys;
}
