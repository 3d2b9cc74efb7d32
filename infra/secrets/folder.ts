/**
 * Secrets as files of a folder, each encrypted under the folder's `master.key` and bound to its
 * reference; file names are HMACs, so that a listing tells nothing. Processes may share it.
 */
import { createHmac } from 'node:crypto';
import { dirname, join } from 'node:path';

import {
  createFile,
  fileTrouble,
  InnerFolders,
  isCreated,
  prepareFolder,
  prepareTree,
  readCreated,
  removeFile,
  unfinishedOf,
} from '../blobs/durable-file.ts';
import { closeBox, deriveKey, openBox } from '../keys/box.ts';
import { openMasterKey } from '../keys/master-key.ts';
import { checkSecret, SecretError } from './errors.ts';
import type { Secrets } from './port.ts';

export interface FolderSecretsOptions {
  readonly folder: string;
  /** The file of the master key, where it is kept apart from the folder. */
  readonly masterFile?: string | undefined;
}

/**
 * Opens the folder, making it and its master key where they are missing.
 *
 * @throws SecretError `unavailable` or `corrupt`, naming the path and the remedy.
 */
export async function folderSecrets(options: FolderSecretsOptions): Promise<Secrets> {
  const { folder, masterFile } = options;
  const secrets = join(folder, 'sealed');
  let wraps = false;
  try {
    await prepareFolder(folder);
    for await (const { files } of prepareTree(secrets)) {
      wraps ||= files.some((file) => file.endsWith('.secret'));
    }
  } catch (cause) {
    throw new SecretError('unavailable', fileTrouble('use the folder', folder, cause), { cause });
  }
  const master = await openMasterKey({ folder, file: masterFile, wraps });
  if ('trouble' in master) {
    const { code, message, cause } = master.trouble;
    throw new SecretError(code, message, { cause });
  }
  return new FolderSecrets(secrets, master.key);
}

class FolderSecrets implements Secrets {
  readonly #folder: string;
  readonly #folders = new InnerFolders();
  readonly #sealing: Buffer;
  readonly #naming: Buffer;
  #closed = false;

  constructor(folder: string, master: Buffer) {
    this.#folder = folder;
    this.#sealing = deriveKey(master, 'seal secrets');
    this.#naming = deriveKey(master, 'name secrets');
  }

  async put(reference: string, clear: string): Promise<void> {
    const path = this.#path(reference, clear);
    const box = closeBox(this.#sealing, reference, Buffer.from(clear, 'utf8'));
    await trying('write', path, async () => {
      await this.#folders.make(dirname(path));
      if (await isCreated(`${path}.destroyed`)) return;
      await createFile(`${path}.secret`, box);
      // Destroyed meanwhile: the tombstone was written before the file was removed.
      if (await isCreated(`${path}.destroyed`)) await removeFile(`${path}.secret`);
    });
  }

  async get(reference: string): Promise<string | undefined> {
    const path = this.#path(reference);
    const box = await trying('read', path, async () =>
      (await isCreated(`${path}.destroyed`)) ? undefined : readCreated(`${path}.secret`),
    );
    if (box === undefined) return undefined;
    const clear = openBox(this.#sealing, reference, box);
    if (clear !== undefined) return clear.toString('utf8');
    throw new SecretError(
      'corrupt',
      `${path}.secret does not open with the master key: one of the two is damaged or of another ` +
        'installation; restore both from the same backup',
    );
  }

  async destroy(reference: string): Promise<void> {
    const path = this.#path(reference);
    await trying('destroy', path, async () => {
      await this.#folders.make(dirname(path));
      await createFile(`${path}.destroyed`, Buffer.alloc(0));
      await removeFile(`${path}.secret`);
      // On its way here: whoever puts it writes it again, sees the tombstone and takes it away.
      for (const unfinished of await unfinishedOf(`${path}.secret`)) await removeFile(unfinished);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #path(reference: string, clear?: string): string {
    if (this.#closed) {
      throw new SecretError('unavailable', 'the secrets are closed: the process is stopping');
    }
    checkSecret(reference, clear);
    const name = createHmac('sha256', this.#naming).update(reference).digest('hex');
    return join(this.#folder, name.slice(0, 2), name);
  }
}

async function trying<T>(what: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new SecretError('unavailable', fileTrouble(what, path, cause), { cause });
  }
}
