/** The key of a node is made once for a token, kept for its owner alone, and survives any kill. */
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { deriveId } from '@bivouac/events/values';

import { openIdentity } from './identity.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bivouac-identity-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const nodeId = deriveId('node', 'one');
const token = (letter: string): string => `${nodeId}.${letter.repeat(43)}`;

test('without a key and a token there is no identity, and that is said with the remedy', async () => {
  await expect(openIdentity({ folder })).rejects.toMatchObject({
    code: 'identity-missing',
    message: expect.stringContaining('openNodeEnrolment'),
  });
  await expect(openIdentity({ folder, token: 'nod_1.x' })).rejects.toMatchObject({
    code: 'token-malformed',
  });
  expect(await readdir(folder)).toEqual([]);
});

test('until it is admitted the same token shows the same key, and the old identity stays', async () => {
  const first = await openIdentity({ folder, token: token('a') });
  expect(first).toMatchObject({ nodeId, token: token('a') });
  // Killed before it was admitted.
  const again = await openIdentity({ folder, token: token('a') });
  expect(again.publicKey).toBe(first.publicKey);
  await again.admitted();
  expect(again.token).toBeUndefined();
  expect(await readdir(folder)).toEqual(['identity.json']);
  expect((await openIdentity({ folder })).publicKey).toBe(first.publicKey);
  // The token file may stay where it is.
  const still = await openIdentity({ folder, token: token('a') });
  expect([still.publicKey, still.token]).toEqual([first.publicKey, undefined]);

  const next = await openIdentity({ folder, token: token('b') });
  expect(next.publicKey).not.toBe(first.publicKey);
  expect((await openIdentity({ folder })).publicKey).toBe(first.publicKey);
  await next.admitted();
  expect((await openIdentity({ folder })).publicKey).toBe(next.publicKey);
});

test('the private key is for its owner alone, and is not used where others could read it', async () => {
  const identity = await openIdentity({ folder, token: token('a') });
  await identity.admitted();
  const file = join(folder, 'identity.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, 'utf8')).not.toContain(token('a'));
  await chmod(file, 0o640);
  await expect(openIdentity({ folder })).rejects.toMatchObject({ code: 'identity-exposed' });
});

test('a damaged file is named, and no other key is made in its place', async () => {
  const identity = await openIdentity({ folder, token: token('a') });
  await identity.admitted();
  const file = join(folder, 'identity.json');
  await writeFile(file, '{"nodeId":', { mode: 0o600 });
  await expect(openIdentity({ folder })).rejects.toMatchObject({
    code: 'identity-unreadable',
    message: expect.stringContaining(file),
  });
});
