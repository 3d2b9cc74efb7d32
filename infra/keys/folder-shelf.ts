/**
 * Wrapped keys as files of a folder: `<name>.key`, or `<name>.erased` for ever after. The tombstone
 * is durable before the key is removed, and wins over a key that a backup brought back.
 */
import { dirname, join } from 'node:path';

import {
  createFile,
  fileTrouble,
  finishedName,
  InnerFolders,
  isCreated,
  prepareTree,
  readCreated,
  shredFile,
  unfinishedOf,
} from '../blobs/durable-file.ts';
import { KeyError } from './port.ts';
import type { KeyShelf } from './shelf.ts';

/** Names are made of lower-case letters, digits, `_` and `.`: they become paths. */
export class FolderShelf implements KeyShelf {
  readonly #folder: string;
  readonly #folders = new InnerFolders();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Opens the folder and finishes erasures that a crash cut short or a backup has undone. */
  static async open(folder: string): Promise<{ shelf: FolderShelf; empty: boolean }> {
    const shelf = new FolderShelf(folder);
    let empty = true;
    await shelf.#try('use the folder', folder, async () => {
      for await (const { path, files } of prepareTree(folder)) {
        const tombstones = new Set(files.filter((file) => file.endsWith('.erased')));
        for (const file of files) {
          const name = finishedName(file) ?? file;
          if (!name.endsWith('.key')) continue;
          if (tombstones.has(name.replace(/\.key$/, '.erased'))) await shredFile(join(path, file));
          else if (name === file) empty = false;
        }
      }
    });
    return { shelf, empty };
  }

  async find(name: string): Promise<Uint8Array | 'erased' | undefined> {
    const path = this.#path(name);
    return this.#try('read', path, () => this.#standing(path));
  }

  async isErased(name: string): Promise<boolean> {
    const path = this.#path(name);
    return this.#try('read', path, () => isCreated(`${path}.erased`));
  }

  async keep(name: string, wrapped: Uint8Array): Promise<Uint8Array | 'erased'> {
    const path = this.#path(name);
    return this.#try('write', path, async () => {
      await this.#folders.make(dirname(path));
      await createFile(`${path}.key`, wrapped);
      const standing = await this.#standing(path);
      // Whoever erases writes the tombstone first, so one of the two sees the other.
      if (standing === 'erased') await shredFile(`${path}.key`);
      return standing ?? 'erased';
    });
  }

  async erase(name: string): Promise<void> {
    const path = this.#path(name);
    await this.#try('erase', path, async () => {
      // Every erased person is told of at each start: nothing is written for those who are.
      if ((await isCreated(`${path}.erased`)) && !(await isCreated(`${path}.key`))) return;
      await this.#folders.make(dirname(path));
      await createFile(`${path}.erased`, Buffer.alloc(0));
      await shredFile(`${path}.key`);
      // Keys on their way here: whoever brings one writes it again, sees the tombstone and gives up.
      for (const unfinished of await unfinishedOf(`${path}.key`)) await shredFile(unfinished);
    });
  }

  /** The tombstone is looked for last: it stands before a key is overwritten, so none is read that is. */
  async #standing(path: string): Promise<Uint8Array | 'erased' | undefined> {
    const key = await readCreated(`${path}.key`);
    return (await isCreated(`${path}.erased`)) ? 'erased' : key;
  }

  /** Spread over folders by the end of the person's id: its beginning is much the same for all. */
  #path(name: string): string {
    const person = name.slice(0, name.indexOf('.'));
    return join(this.#folder, person.slice(-2), name);
  }

  async #try<T>(what: string, path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new KeyError('unavailable', fileTrouble(what, path, cause), { cause });
    }
  }
}
