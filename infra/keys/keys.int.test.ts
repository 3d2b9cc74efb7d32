// Keys in memory and in a folder keep the contract; restored, damaged and readable files are named.
import { chmod, cp, link, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { unwritable } from '../blobs/unwritable.ts';
import { keysContract } from './contract.ts';
import { folderKeys, memoryKeys } from './index.ts';

const ANNA = 'per_01h455vb4pex5vsknk084sn02q';

keysContract('memory', async () => {
  const keys = memoryKeys();
  return { keys, again: async () => keys, dispose: () => keys.close() };
});

keysContract('folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-keys-'));
  return {
    keys: await folderKeys({ folder }),
    again: () => folderKeys({ folder }),
    dispose: () => rm(folder, { recursive: true }),
  };
});

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'bivouac-keys-'));
  try {
    await work(join(root, 'keys'));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function everyFile(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return names.filter((n) => n.isFile()).map((n) => join(n.parentPath, n.name));
}

test('only its owner can read a key, and no file holds a clear text or a person’s bare key', () =>
  withFolder(async (folder) => {
    const keys = await folderKeys({ folder });
    await keys.seal(ANNA, 'contact', 'anna@example.org');
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const files = await everyFile(folder);
    expect(files).toHaveLength(2);
    for (const file of files) {
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect((await readFile(file)).includes('anna')).toBe(false);
    }
  }));

test('a key that a backup brings back stays destroyed: by its tombstone, or by what the log says', () =>
  withFolder(async (folder) => {
    const keys = await folderKeys({ folder });
    const sealed = await keys.seal(ANNA, 'contact', 'anna');
    const backup = `${folder}.backup`;
    await cp(folder, backup, { recursive: true });
    await keys.destroy(ANNA, ['contact']);

    // Copied over what is there: the tombstone stands, and opening removes the key again.
    await cp(backup, folder, { recursive: true });
    const over = await folderKeys({ folder });
    expect(await over.open(sealed)).toBeUndefined();
    expect((await everyFile(folder)).filter((f) => f.endsWith('.key'))).toEqual([
      join(folder, 'master.key'),
    ]);

    // Put in its place: nothing here knows, only the log.
    await rm(folder, { recursive: true });
    await cp(backup, folder, { recursive: true });
    expect(await (await folderKeys({ folder })).open(sealed)).toBe('anna');
    const erased = [{ person: ANNA, purposes: ['contact'] as const }];
    const again = await folderKeys({ folder, erased });
    expect(await again.open(sealed)).toBeUndefined();
    expect(await (await folderKeys({ folder })).open(sealed)).toBeUndefined();
  }));

test('a destroyed key is overwritten where it lay, and its tombstone stays as it is', () =>
  withFolder(async (folder) => {
    const keys = await folderKeys({ folder });
    await keys.seal(ANNA, 'contact', 'anna');
    const path = join(folder, 'persons', '2q', `${ANNA}.contact`);
    const wrapped = await readFile(`${path}.key`);
    // Another name of the same bytes on the disk.
    const lay = join(folder, 'lay');
    await link(`${path}.key`, lay);
    await keys.destroy(ANNA, ['contact']);
    const left = await readFile(lay);
    expect(left).toHaveLength(wrapped.length);
    expect(left.equals(wrapped)).toBe(false);
    const tombstone = await stat(`${path}.erased`);
    const again = await folderKeys({
      folder,
      erased: [{ person: ANNA, purposes: ['contact'] }],
    });
    await again.destroy(ANNA, ['contact']);
    expect(await stat(`${path}.erased`)).toMatchObject({
      ino: tombstone.ino,
      mtimeMs: tombstone.mtimeMs,
    });
  }));

test('a damaged key is found and named, and its content is not repeated', () =>
  withFolder(async (folder) => {
    const keys = await folderKeys({ folder });
    const sealed = await keys.seal(ANNA, 'contact', 'anna');
    const path = join(folder, 'persons', '2q', `${ANNA}.contact.key`);
    const bytes = await readFile(path);
    bytes[15] = (bytes[15] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const again = await folderKeys({ folder });
    await expect(again.open(sealed)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(`${ANNA}.contact`),
    });
  }));

test('a master key that is missing, damaged or readable by others stops the start', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'master.key');
    await (await folderKeys({ folder })).seal(ANNA, 'contact', 'anna');
    const good = await readFile(path, 'utf8');
    const failure = async (): Promise<unknown> => folderKeys({ folder }).catch((e: unknown) => e);

    await chmod(path, 0o640);
    expect(await failure()).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`${path} can be read by other users (mode 640): chmod 600`),
    });
    await chmod(path, 0o600);

    await writeFile(path, good.replace(/[A-Za-z]/g, (c) => (c === 'A' ? 'B' : c)).slice(0, 30));
    const damaged = await failure();
    expect(damaged).toMatchObject({ code: 'corrupt', message: expect.stringContaining(path) });
    expect(String(damaged)).not.toContain(good.slice(3, 20));

    // A new one in its place would open nothing, and would hide that.
    await rm(path);
    expect(await failure()).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('is missing'),
    });
    await writeFile(path, good, { mode: 0o600 });
    await folderKeys({ folder });
  }));

test('a folder that cannot be written is refused at the start, with path and remedy', () =>
  unwritable(async (folder, remedy) => {
    await expect(folderKeys({ folder })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`${folder}: ${remedy}`),
    });
  }));
