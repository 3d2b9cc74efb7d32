/** The keys that a URL names. */
import { FOLDER_URL_EXPECTED, folderOfUrl } from '../blobs/folder-url.ts';
import { RuntimeError } from '../runtime/errors.ts';
import { folderKeys, type FolderKeysOptions } from './folder.ts';
import type { Keys } from './port.ts';

export interface OpenKeysOptions extends Omit<FolderKeysOptions, 'folder'> {
  /** `folder:<path>`. */
  readonly url: string;
}

/**
 * Opens them, making what is missing.
 *
 * @throws RuntimeError `misconfigured` for a URL whose engine this release does not have; else what
 * the adapter throws.
 */
export async function openKeys({ url, ...options }: OpenKeysOptions): Promise<Keys> {
  const folder = folderOfUrl(url);
  if (folder === undefined) {
    throw new RuntimeError('misconfigured', `KEYS_URL=${url}: ${FOLDER_URL_EXPECTED}`);
  }
  return folderKeys({ ...options, folder });
}
