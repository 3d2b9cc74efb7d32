/** The blobs that a URL names. */
import { RuntimeError } from '../runtime/errors.ts';
import { folderBlobs } from './folder.ts';
import { FOLDER_URL_EXPECTED, folderOfUrl } from './folder-url.ts';
import type { Blobs } from './port.ts';

/**
 * Opens them, making what is missing.
 *
 * @throws RuntimeError `misconfigured` for a URL whose engine this release does not have; else what
 * the adapter throws.
 */
export async function openBlobs({ url }: { readonly url: string }): Promise<Blobs> {
  const folder = folderOfUrl(url);
  if (folder === undefined) {
    throw new RuntimeError('misconfigured', `BLOBS_URL=${url}: ${FOLDER_URL_EXPECTED}`);
  }
  return folderBlobs({ folder });
}
