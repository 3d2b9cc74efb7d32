/**
 * Blobs as files of a folder, `<first two digits>/<SHA-256>`; every read verifies the name. Processes
 * may share it.
 */
import { dirname, join } from 'node:path';

import {
  fileTrouble,
  InnerFolders,
  keepFile,
  prepareTree,
  readIfThere,
  replaceFile,
} from './durable-file.ts';
import { checkDigest, digestOf } from './digest.ts';
import { BlobError, type Blobs } from './port.ts';

/**
 * Opens the folder, making it where it is missing.
 *
 * @throws BlobError `unavailable`, naming the folder and the remedy.
 */
export async function folderBlobs(options: { readonly folder: string }): Promise<Blobs> {
  const { folder } = options;
  try {
    for await (const inside of prepareTree(folder)) void inside;
  } catch (cause) {
    throw new BlobError('unavailable', fileTrouble('use the folder', folder, cause), { cause });
  }
  return new FolderBlobs(folder);
}

class FolderBlobs implements Blobs {
  readonly #folder: string;
  readonly #folders = new InnerFolders();
  /** Puts under way, by digest: the same content twice at once is written once. */
  readonly #putting = new Map<string, Promise<void>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(content: Uint8Array): Promise<string> {
    // The caller may go on to use its buffer.
    const own = Buffer.from(content);
    const digest = digestOf(own);
    let putting = this.#putting.get(digest);
    if (putting === undefined) {
      putting = this.#write(digest, own).finally(() => this.#putting.delete(digest));
      this.#putting.set(digest, putting);
    }
    await putting;
    return digest;
  }

  async get(digest: string): Promise<Uint8Array | undefined> {
    checkDigest(digest);
    const path = this.#path(digest);
    const content = await this.#read(path);
    if (content !== undefined && digestOf(content) !== digest) {
      throw new BlobError(
        'corrupt',
        `${path} does not hold what its name says: restore this file from a backup`,
      );
    }
    return content;
  }

  async #write(digest: string, content: Uint8Array): Promise<void> {
    const path = this.#path(digest);
    const known = await this.#read(path);
    try {
      await this.#folders.make(dirname(path));
      // Of another process that may not have synced it yet: an event will name it as of now.
      if (known !== undefined && digestOf(known) === digest) return await keepFile(path);
      // What stands there may be damaged; here is the chance to make it whole.
      await replaceFile(path, content);
    } catch (cause) {
      throw new BlobError('unavailable', fileTrouble('write', path, cause), { cause });
    }
  }

  async #read(path: string): Promise<Buffer | undefined> {
    try {
      return await readIfThere(path);
    } catch (cause) {
      throw new BlobError('unavailable', fileTrouble('read', path, cause), { cause });
    }
  }

  #path(digest: string): string {
    return join(this.#folder, digest.slice(0, 2), digest);
  }
}
