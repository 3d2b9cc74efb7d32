// Blobs in memory and in a folder keep the contract; a folder's damage is found and named.
import { mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { blobsContract } from './contract.ts';
import { folderBlobs, memoryBlobs } from './index.ts';
import { unwritable } from './unwritable.ts';

blobsContract('memory', async () => {
  const blobs = memoryBlobs();
  return { blobs, again: async () => blobs, dispose: async () => undefined };
});

blobsContract('folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-blobs-'));
  return {
    blobs: await folderBlobs({ folder }),
    again: () => folderBlobs({ folder }),
    dispose: () => rm(folder, { recursive: true }),
  };
});

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-blobs-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('a flipped byte and a cut file are found, named, and made whole by putting the content again', () =>
  withFolder(async (folder) => {
    const blobs = await folderBlobs({ folder });
    const content = Buffer.from('the inventory of an image');
    const digest = await blobs.put(content);
    const path = join(folder, digest.slice(0, 2), digest);
    const bytes = await readFile(path);
    bytes[3] = (bytes[3] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await expect(blobs.get(digest)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(path),
    });
    await truncate(path, 4);
    await expect(blobs.get(digest)).rejects.toMatchObject({ code: 'corrupt' });
    expect(await blobs.put(content)).toBe(digest);
    expect(Buffer.from((await blobs.get(digest)) ?? []).equals(content)).toBe(true);
  }));

test('what a crash left half written is gone after opening, and was never a blob', () =>
  withFolder(async (folder) => {
    const digest = await (await folderBlobs({ folder })).put(Buffer.from('whole'));
    const inner = join(folder, digest.slice(0, 2));
    const abandoned = [join(folder, '.x.0011.unfinished'), join(inner, '.y.0011.unfinished')];
    for (const file of abandoned) {
      await writeFile(file, 'half');
      await utimes(file, 0, 0);
    }
    // So young that another process may be writing it.
    await writeFile(join(inner, '.z.0011.unfinished'), 'half');
    await folderBlobs({ folder });
    expect(await readdir(folder)).toEqual([digest.slice(0, 2)]);
    expect((await readdir(inner)).sort()).toEqual(['.z.0011.unfinished', digest]);
  }));

test('a folder that cannot be written is refused at the start, with path and remedy', () =>
  unwritable(async (folder, remedy) => {
    await expect(folderBlobs({ folder })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`${folder}: ${remedy}`),
    });
  }));

test('a blob that cannot be written is refused with its path', () =>
  withFolder(async (folder) => {
    const blobs = await folderBlobs({ folder });
    const digest = '6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090'; // 'abc123'
    await writeFile(join(folder, digest.slice(0, 2)), 'in the way');
    await expect(blobs.put(Buffer.from('abc123'))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(digest),
    });
  }));
