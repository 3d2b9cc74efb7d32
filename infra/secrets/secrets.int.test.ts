// Secrets in memory and in a folder keep the contract; files tell nothing, and damage is named.
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { expect, test } from '@jest/globals';

import { unwritable } from '../blobs/unwritable.ts';
import { secretsContract } from './contract.ts';
import { folderSecrets, memorySecrets } from './index.ts';

secretsContract('memory', async () => {
  const secrets = memorySecrets();
  return { secrets, again: async () => secrets, dispose: () => secrets.close() };
});

secretsContract('folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-secrets-'));
  return {
    secrets: await folderSecrets({ folder }),
    again: () => folderSecrets({ folder }),
    dispose: () => rm(folder, { recursive: true }),
  };
});

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-secrets-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function secretFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((n) => n.endsWith('.secret')).map((n) => join(folder, n));
}

test('neither secret nor reference is in a file or its name, and only the owner can read it', () =>
  withFolder(async (folder) => {
    const secrets = await folderSecrets({ folder });
    await secrets.put('container-ctr_1-root', 'correct horse');
    const [file, ...others] = await secretFiles(folder);
    expect(others).toEqual([]);
    const path = file ?? '';
    expect(path).not.toContain('ctr_1');
    const content = await readFile(path);
    expect(content.includes('horse') || content.includes('ctr_1')).toBe(false);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await secrets.destroy('container-ctr_1-root');
    expect(await secretFiles(folder)).toEqual([]);
  }));

test('a damaged secret, or one moved to another’s name, is found and named', () =>
  withFolder(async (folder) => {
    const secrets = await folderSecrets({ folder });
    await secrets.put('one', 'first');
    const [file = ''] = await secretFiles(folder);
    await secrets.put('two', 'second');
    const other = (await secretFiles(folder)).find((f) => f !== file) ?? '';
    await rename(other, file);
    await expect(secrets.get('one')).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(file),
    });
    await writeFile(file, 'x');
    await expect(secrets.get('one')).rejects.toMatchObject({ code: 'corrupt' });
    await rm(join(folder, 'master.key'));
    await expect(folderSecrets({ folder })).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('restore it from a backup'),
    });
    expect(dirname(file)).toContain(folder);
  }));

test('a folder that cannot be written is refused at the start, with path and remedy', () =>
  unwritable(async (folder, remedy) => {
    await expect(folderSecrets({ folder })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`${folder}: ${remedy}`),
    });
  }));
