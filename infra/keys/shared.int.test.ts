// Keys in one folder for several processes: the contract, races, memory of erased keys, kill -9.
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { afterAll, expect, test } from '@jest/globals';
import type { Sealed } from '@bivouac/events/language';

import { keysContract } from './contract.ts';
import { folderKeys, type Keys } from './index.ts';
import { alternatingKeys } from './testing/alternating.ts';
import { ageUnfinished, everyFile, Team, temporaryFolder, withFolder } from './testing/together.ts';

const ANNA = 'per_01h455vb4pex5vsknk084sn02q';
const team = new Team();
afterAll(() => team.end());

/** As many persons as wanted, each with a valid id that no other has. */
function person(number: number): string {
  return `per_01h455vb4pex5vsknk08${number.toString().padStart(6, '0')}`;
}

/** What somebody else has destroyed is gone from the next call on. */
const rememberMilliseconds = 0;

keysContract('one folder, two openings in turn', async () => {
  const { folder, remove } = await temporaryFolder();
  const open = (): Promise<Keys> => folderKeys({ folder, rememberMilliseconds });
  const keys = alternatingKeys(await Promise.all([open(), open()]));
  return { keys, again: open, dispose: remove };
});

keysContract('one folder, three processes in turn', async () => {
  const { folder, remove } = await temporaryFolder();
  const open = await Promise.all(
    team.members(3).map((member) => member.openKeys(folder, rememberMilliseconds)),
  );
  const again = (): Promise<Keys> => folderKeys({ folder, rememberMilliseconds });
  return { keys: alternatingKeys(open), again, dispose: remove };
});

test('processes that open an empty folder at once have one master key', async () => {
  for (let round = 0; round < 25; round++) {
    await withFolder(async (folder) => {
      const all = await Promise.all(team.members(3).map((member) => member.openKeys(folder)));
      const hashes = await Promise.all(
        all.map((keys) => keys.hmac('home:ten_1', Buffer.from('x'))),
      );
      expect({ round, different: new Set(hashes).size }).toEqual({ round, different: 1 });
    });
  }
});

test('first uses of a key by several processes at once make one key, which all open', () =>
  withFolder(async (folder) => {
    const all = await Promise.all(team.members(3).map((member) => member.openKeys(folder)));
    for (let round = 0; round < 40; round++) {
      const sealed = await Promise.all(
        all.map((keys, i) => keys.seal(person(round), 'contact', `by ${i}`)),
      );
      for (const keys of all) {
        const clear = await Promise.all(sealed.map((value) => keys.open(value)));
        expect({ round, clear }).toEqual({ round, clear: ['by 0', 'by 1', 'by 2'] });
      }
    }
  }));

test('a key erased by one process while others first use it opens nowhere, and none is left', () =>
  withFolder(async (folder) => {
    const [eraser, ...users] = await Promise.all(
      team.members(3).map((member) => member.openKeys(folder, rememberMilliseconds)),
    );
    for (let round = 0; round < 60; round++) {
      const one = person(round);
      const sealing = users.map((keys) =>
        keys.seal(one, 'contact', 'x').catch((error: unknown) => {
          expect({ round, error }).toMatchObject({ round, error: { code: 'erased' } });
        }),
      );
      await eraser?.destroy(one, ['contact']);
      for (const value of await Promise.all(sealing)) {
        if (value === undefined) continue;
        for (const keys of users) expect(await keys.open(value)).toBeUndefined();
      }
    }
    const left = (await everyFile(join(folder, 'persons'))).filter((f) => !f.endsWith('.erased'));
    expect(left).toEqual([]);
  }));

test('a process that starts disturbs nobody who is writing, and nobody who starts', () =>
  withFolder(async (folder) => {
    const [writer, ...starting] = team.members(3);
    const keys = await writer?.openKeys(folder);
    let over = false;
    const starts = starting.map(async (member) => {
      let count = 0;
      for (; !over || count < 10; count++) await member.openKeys(folder);
      return count;
    });
    for (let round = 0; round < 150; round++) await keys?.seal(person(round), 'contact', 'x');
    over = true;
    for (const count of await Promise.all(starts)) expect(count).toBeGreaterThanOrEqual(10);
  }));

test('who opens a folder finishes erasures while others erase and seal', () =>
  withFolder(async (folder) => {
    const [opener, ...others] = team.members(3);
    const [eraser, user] = await Promise.all(
      others.map((member) => member.openKeys(folder, rememberMilliseconds)),
    );
    for (let round = 0; round < 30; round++) {
      const value = await user?.seal(person(round), 'contact', 'x');
      const [opened] = await Promise.all([
        opener?.openKeys(folder),
        eraser?.destroy(person(round), ['contact']),
        user?.seal(person(round), 'invoice', 'y'),
      ]);
      if (value !== undefined) expect(await user?.open(value)).toBeUndefined();
      expect(await opened?.seal(person(round), 'invoice', 'z')).toMatchObject({});
    }
  }));

test('a key that another process destroyed is used for so long as it may be remembered, and never after', () =>
  withFolder(async (folder) => {
    let now = 5;
    const mine = await folderKeys({ folder, rememberMilliseconds: 2000, elapsed: () => now });
    const others = await folderKeys({ folder });
    const sealed = await mine.seal(ANNA, 'contact', 'anna');
    await others.destroy(ANNA, ['contact']);
    now += 1999;
    expect(await mine.open(sealed)).toBe('anna');
    now += 1;
    const uses = await Promise.all([mine.open(sealed), mine.open(sealed)]);
    expect(uses).toEqual([undefined, undefined]);
    await expect(mine.seal(ANNA, 'contact', 'x')).rejects.toMatchObject({ code: 'erased' });
    await expect(mine.hmac(ANNA, Buffer.from('x'))).rejects.toMatchObject({ code: 'erased' });
  }));

test('a key is remembered as of the beginning of the look, however often it is used', () =>
  withFolder(async (folder) => {
    let now = 0;
    const mine = await folderKeys({ folder, rememberMilliseconds: 2000, elapsed: () => now });
    const sealed = await mine.seal(ANNA, 'contact', 'anna');
    await (await folderKeys({ folder })).destroy(ANNA, ['contact']);
    for (; now < 2000; now += 100) expect(await mine.open(sealed)).toBe('anna');
    expect(await mine.open(sealed)).toBeUndefined();
  }));

test('where the tombstone cannot be looked for, nothing is opened', () =>
  withFolder(async (folder) => {
    const mine = await folderKeys({ folder, rememberMilliseconds });
    const sealed = await mine.seal(ANNA, 'contact', 'anna');
    const inner = join(folder, 'persons', ANNA.slice(-2));
    await rename(inner, `${inner}.away`);
    await writeFile(inner, 'in the way');
    await expect(mine.open(sealed)).rejects.toMatchObject({ code: 'unavailable' });
  }));

test('what the log calls erased is forgotten at once, also by a look under way, and destroyed by nobody for that', () =>
  withFolder(async (folder) => {
    const sealed = await (await folderKeys({ folder })).seal(ANNA, 'contact', 'anna');
    const mine = await folderKeys({ folder });
    const opening = mine.open(sealed);
    mine.forget(ANNA, ['contact']);
    expect(await opening).toBeUndefined();
    expect(await mine.open(sealed)).toBeUndefined();
    await expect(mine.seal(ANNA, 'contact', 'x')).rejects.toMatchObject({ code: 'erased' });
    await expect(mine.hmac(ANNA, Buffer.from('x'))).rejects.toMatchObject({ code: 'erased' });
    expect(await (await folderKeys({ folder })).open(sealed)).toBe('anna');
    await mine.destroy(ANNA, ['contact']);
    expect(await (await folderKeys({ folder })).open(sealed)).toBeUndefined();
  }));

test('a key that was on its way when the process died goes with the erasure', () =>
  withFolder(async (folder) => {
    const keys = await folderKeys({ folder });
    await keys.seal(ANNA, 'contact', 'anna');
    const path = join(folder, 'persons', ANNA.slice(-2), `${ANNA}.contact.key`);
    const unfinished = join(dirname(path), `.${ANNA}.contact.key.00112233aabb.unfinished`);
    await writeFile(unfinished, await readFile(path), { mode: 0o600 });
    await keys.destroy(ANNA, ['contact']);
    expect((await everyFile(folder)).filter((file) => file.includes('.key.'))).toEqual([]);
    // Brought back by a backup, as young as it may be.
    await writeFile(unfinished, 'a key', { mode: 0o600 });
    await folderKeys({ folder });
    expect((await everyFile(folder)).filter((file) => file.includes('.key.'))).toEqual([]);
  }));

test('a master key kept apart is of one folder, and no other is taken for it', () =>
  withFolder(async (root) => {
    const folder = join(root, 'keys');
    const masterFile = join(dirname(root), 'here.key');
    const sealed = await (await folderKeys({ folder, masterFile })).seal(ANNA, 'contact', 'anna');
    expect((await everyFile(folder)).filter((file) => file.endsWith('master.key'))).toEqual([]);
    expect((await stat(masterFile)).mode & 0o777).toBe(0o600);
    expect(await (await folderKeys({ folder, masterFile })).open(sealed)).toBe('anna');
    const elsewhere = join(dirname(root), 'elsewhere.key');
    const failure = (): Promise<unknown> =>
      folderKeys({ folder, masterFile: elsewhere }).catch((error: unknown) => error);
    expect(await failure()).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(`${elsewhere} is missing`),
    });
    await folderKeys({ folder: join(root, 'other'), masterFile: elsewhere });
    expect(await failure()).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(`${elsewhere} is not the master key of ${folder}`),
    });
    await writeFile(elsewhere, await readFile(masterFile));
    expect(await (await folderKeys({ folder, masterFile: elsewhere })).open(sealed)).toBe('anna');
  }));

test('of machines that make a master key each at once, one has the folder’s and the others are refused', async () => {
  for (let round = 0; round < 20; round++) {
    await withFolder(async (root) => {
      const folder = join(root, 'keys');
      const opened = await Promise.all(
        ['a', 'b', 'c'].map((machine) =>
          folderKeys({ folder, masterFile: join(dirname(root), machine) }).catch(
            (error: unknown) => {
              expect(error).toMatchObject({ code: 'corrupt' });
            },
          ),
        ),
      );
      expect(opened.filter((keys) => keys !== undefined)).toHaveLength(1);
    });
  }
});

test('a process killed at any moment leaves every acknowledged key and erasure, and nothing half done', () =>
  withFolder(async (folder) => {
    const open = (): Promise<Keys> => folderKeys({ folder, rememberMilliseconds });
    const sealed: Sealed[] = [];
    const erased = new Set<string>();
    const begun = new Set<string>();
    let next = 0;
    for (let round = 0; round < 8; round++) {
      const [victim] = team.members(1);
      const keys = await victim?.openKeys(folder);
      if (victim === undefined || keys === undefined) throw new Error('no process');
      let answers = 0;
      const killAt = 3 + ((round * 7) % 23);
      const answered = async (): Promise<void> => {
        if (++answers === killAt) await team.kill(victim);
      };
      const lives = Array.from({ length: 40 }, async (_, i) => {
        const one = person(next++);
        sealed.push(await keys.seal(one, 'contact', one));
        await answered();
        if (i % 2 === 1) return;
        begun.add(one);
        await keys.destroy(one, ['contact']);
        erased.add(one);
        await answered();
      });
      for (const life of await Promise.allSettled(lives)) {
        if (life.status === 'rejected') expect(life.reason).toMatchObject({ code: 'killed' });
      }
      const after = await open();
      for (const value of sealed) {
        const clear = await after.open(value);
        if (erased.has(value.person)) expect({ round, clear }).toEqual({ round });
        else if (!begun.has(value.person))
          expect({ round, clear }).toEqual({ round, clear: value.person });
      }
      // Whatever was begun can be done again.
      for (const one of begun) await after.destroy(one, ['contact']);
    }
    await ageUnfinished(folder);
    await open();
    const left = (await everyFile(folder)).filter((f) => !/\.(key|erased|id)$/.test(f));
    expect(left).toEqual([]);
    expect(sealed.length).toBeGreaterThan(12);
  }));
