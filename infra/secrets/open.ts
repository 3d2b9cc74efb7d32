/** The secrets that a URL names. */
import { FOLDER_URL_EXPECTED, folderOfUrl } from '../blobs/folder-url.ts';
import { RuntimeError } from '../runtime/errors.ts';
import { folderSecrets, type FolderSecretsOptions } from './folder.ts';
import type { Secrets } from './port.ts';

export interface OpenSecretsOptions extends Omit<FolderSecretsOptions, 'folder'> {
  /** `folder:<path>`. */
  readonly url: string;
}

/**
 * Opens them, making what is missing.
 *
 * @throws RuntimeError `misconfigured` for a URL whose engine this release does not have; else what
 * the adapter throws.
 */
export async function openSecrets({ url, ...options }: OpenSecretsOptions): Promise<Secrets> {
  const folder = folderOfUrl(url);
  if (folder === undefined) {
    throw new RuntimeError('misconfigured', `SECRETS_URL=${url}: ${FOLDER_URL_EXPECTED}`);
  }
  return folderSecrets({ ...options, folder });
}
