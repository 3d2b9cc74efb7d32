// The ports that settings name are opened where they say, and none is left open when one cannot be.
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { openBlobs } from '../blobs/index.ts';
import { openKeys } from '../keys/index.ts';
import { openSecrets } from '../secrets/index.ts';
import { readConfig } from './config.ts';
import { openPorts } from './edge-ports.ts';

const ANNA = 'per_01h455vb4pex5vsknk084sn02q';

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-ports-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('nothing set, everything is below the data folder', () =>
  withFolder(async (folder) => {
    const ports = await openPorts(readConfig({ DATA_DIR: folder }));
    expect((await readdir(folder)).sort()).toEqual(['blobs', 'keys', 'secrets']);
    expect(ports.random(16)).toHaveLength(16);
    await ports.close();
    await expect(ports.secrets.get('x')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(ports.keys.hmac('home:x', Buffer.from('x'))).rejects.toMatchObject({
      code: 'unavailable',
    });
  }));

test('two processes with folders of their own share what their settings name, and not the master keys’ files', () =>
  withFolder(async (folder) => {
    await mkdir(join(folder, 'masters'));
    const shared = {
      KEYS_URL: `folder:${join(folder, 'shared', 'keys')}`,
      KEYS_MASTER_FILE: join(folder, 'masters', 'keys'),
      SECRETS_URL: `folder:${join(folder, 'shared', 'secrets')}`,
      SECRETS_MASTER_FILE: join(folder, 'masters', 'secrets'),
      BLOBS_URL: `folder:${join(folder, 'shared', 'blobs')}`,
    };
    const one = await openPorts(readConfig({ ...shared, DATA_DIR: join(folder, 'one') }));
    const two = await openPorts(readConfig({ ...shared, DATA_DIR: join(folder, 'two') }));
    const sealed = await one.keys.seal(ANNA, 'contact', 'anna');
    expect(await two.keys.open(sealed)).toBe('anna');
    await one.secrets.put('root', 'geheim');
    expect(await two.secrets.get('root')).toBe('geheim');
    const digest = await one.blobs.put(Buffer.from('content'));
    expect(Buffer.from((await two.blobs.get(digest)) ?? []).toString()).toBe('content');
    const names = await readdir(join(folder, 'shared'), { recursive: true });
    expect(names.filter((name) => name.endsWith('master.key'))).toEqual([]);
    expect((await stat(join(folder, 'masters', 'keys'))).mode & 0o777).toBe(0o600);
    await Promise.all([one.close(), two.close()]);
  }));

test('what cannot be opened is named', () =>
  withFolder(async (folder) => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    for (const name of ['KEYS_URL', 'SECRETS_URL', 'BLOBS_URL']) {
      const config = readConfig({ DATA_DIR: folder, [name]: `folder:${join(file, 'x')}` });
      await expect(openPorts(config)).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining(`${join(file, 'x')}: a part of the path is a file`),
      });
    }
  }));

test('an engine that this release does not have is refused with what to write', async () => {
  const url = 's3://bucket';
  for (const opening of [openKeys({ url }), openSecrets({ url }), openBlobs({ url })]) {
    await expect(opening).rejects.toMatchObject({
      code: 'misconfigured',
      message: expect.stringContaining('=s3://bucket: expected folder:<path>'),
    });
  }
});
