// Keys in memory and in a folder keep the contract; restored, damaged and readable files are named.
import { chmod, cp, link, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { type Purpose, type Sealed, SealedSchema } from '@bivouac/events/language';
import fc from 'fast-check';

import { unwritable } from '../blobs/unwritable.ts';
import { keysContract } from './contract.ts';
import { folderKeys, type Keys, memoryKeys } from './index.ts';

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
    expect(files).toHaveLength(3);
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

test('whatever is erased and whichever backup comes back: who is erased by the log is not read again, all others are', async () => {
  const people = [ANNA, 'per_01h455vb4pex5vsknk084sn02r', 'per_01h455vb4pex5vsknk084sn03q'];
  const key = fc.record({
    person: fc.constantFrom(...people),
    purpose: fc.constantFrom<Purpose>('contact', 'invoice'),
  });
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('seal' as const), key }) },
    // `cut`: the process dies after the event and before the key is destroyed.
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('erase', 'cut'), key }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('back up', 'restore', 'copy over') }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) =>
      withFolder(async (folder) => {
        const backup = `${folder}.backup`;
        const log: { person: string; purposes: Purpose[] }[] = [];
        const sealed: { value: Sealed; clear: string; backedUp: boolean }[] = [];
        const isErased = (person: string, purpose: Purpose): boolean =>
          log.some((one) => one.person === person && one.purposes.includes(purpose));
        let keys: Keys = await folderKeys({ folder });
        let backedUp = false;
        for (const [i, one] of steps.entries()) {
          if (one.do === 'seal') {
            const { person, purpose } = one.key;
            const clear = `clear ${i}`;
            const value = await keys.seal(person, purpose, clear).catch((error: unknown) => error);
            if (isErased(person, purpose)) expect(value).toMatchObject({ code: 'erased' });
            else sealed.push({ value: SealedSchema.parse(value), clear, backedUp: false });
          } else if (one.do === 'back up') {
            await rm(backup, { recursive: true, force: true });
            await cp(folder, backup, { recursive: true });
            backedUp = true;
            for (const entry of sealed) entry.backedUp = true;
          } else if ('key' in one) {
            log.push({ person: one.key.person, purposes: [one.key.purpose] });
            if (one.do === 'erase') await keys.destroy(one.key.person, [one.key.purpose]);
            else keys = await folderKeys({ folder, erased: log });
          } else if (backedUp) {
            await keys.close();
            if (one.do === 'restore') await rm(folder, { recursive: true });
            await cp(backup, folder, { recursive: true });
            keys = await folderKeys({ folder, erased: log });
            // What was first sealed after the backup is lost with the keys, erased or not.
            if (one.do === 'restore')
              sealed.splice(0, sealed.length, ...sealed.filter((s) => s.backedUp));
          }
          for (const { value, clear } of sealed) {
            const expected = isErased(value.person, value.purpose) ? undefined : clear;
            expect(await keys.open(value)).toBe(expected);
          }
        }
      }),
    ),
    { numRuns: 40 },
  );
}, 30_000);

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
