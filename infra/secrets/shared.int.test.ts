// Secrets in one folder for several processes: the contract, races, kill -9.
import { dirname, join } from 'node:path';

import { afterAll, expect, test } from '@jest/globals';

import { alternatingSecrets } from '../keys/testing/alternating.ts';
import {
  ageUnfinished,
  everyFile,
  Team,
  temporaryFolder,
  withFolder,
} from '../keys/testing/together.ts';
import { secretsContract } from './contract.ts';
import { folderSecrets } from './index.ts';

const team = new Team();
afterAll(() => team.end());

secretsContract('one folder, two openings in turn', async () => {
  const { folder, remove } = await temporaryFolder();
  const open = () => folderSecrets({ folder });
  const secrets = alternatingSecrets(await Promise.all([open(), open()]));
  return { secrets, again: open, dispose: remove };
});

secretsContract('one folder, three processes in turn', async () => {
  const { folder, remove } = await temporaryFolder();
  const open = await Promise.all(team.members(3).map((member) => member.openSecrets(folder)));
  const again = () => folderSecrets({ folder });
  return { secrets: alternatingSecrets(open), again, dispose: remove };
});

test('of puts by several processes at once one is kept, and all read it', () =>
  withFolder(async (folder) => {
    const all = await Promise.all(team.members(3).map((member) => member.openSecrets(folder)));
    for (let round = 0; round < 40; round++) {
      const read = await Promise.all(
        all.map(async (secrets, i) => {
          await secrets.put(`secret ${round}`, `by ${i}`);
          return secrets.get(`secret ${round}`);
        }),
      );
      expect({ round, different: new Set(read).size }).toEqual({ round, different: 1 });
      expect(read[0]).toMatch(/^by [012]$/);
    }
  }));

test('a secret destroyed while others put and get it is gone, and no file of it is left', () =>
  withFolder(async (folder) => {
    const [destroyer, ...others] = await Promise.all(
      team.members(3).map((member) => member.openSecrets(folder)),
    );
    for (let round = 0; round < 60; round++) {
      const reference = `secret ${round}`;
      const using = others.map(async (secrets) => {
        await secrets.put(reference, 'x');
        expect(['x', undefined]).toContain(await secrets.get(reference));
      });
      await destroyer?.destroy(reference);
      await Promise.all(using);
      for (const secrets of others) expect(await secrets.get(reference)).toBeUndefined();
    }
    const left = (await everyFile(join(folder, 'sealed'))).filter((f) => !f.endsWith('.destroyed'));
    expect(left).toEqual([]);
  }));

test('a process that starts disturbs nobody who is writing, and nobody who starts', () =>
  withFolder(async (folder) => {
    const [writer, ...starting] = team.members(3);
    const secrets = await writer?.openSecrets(folder);
    let over = false;
    const starts = starting.map(async (member) => {
      for (let count = 0; !over || count < 10; count++) await member.openSecrets(folder);
    });
    for (let round = 0; round < 150; round++) await secrets?.put(`secret ${round}`, 'x');
    over = true;
    await Promise.all(starts);
    for (let round = 0; round < 150; round++) {
      expect(await secrets?.get(`secret ${round}`)).toBe('x');
    }
  }));

test('a master key kept apart is used, and another’s is refused', () =>
  withFolder(async (root) => {
    const [folder, masterFile] = [join(root, 'secrets'), join(dirname(root), 'master')];
    await (await folderSecrets({ folder, masterFile })).put('one', 'first');
    expect(await (await folderSecrets({ folder, masterFile })).get('one')).toBe('first');
    const other = join(dirname(root), 'other');
    await folderSecrets({ folder: join(root, 'others'), masterFile: other });
    await expect(folderSecrets({ folder, masterFile: other })).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(`${other} is not the master key of ${folder}`),
    });
  }));

test('a process killed at any moment leaves what was acknowledged, and nothing half done', () =>
  withFolder(async (folder) => {
    const put = new Set<string>();
    const destroying = new Set<string>();
    const destroyed = new Set<string>();
    let next = 0;
    for (let round = 0; round < 8; round++) {
      const [victim] = team.members(1);
      const secrets = await victim?.openSecrets(folder);
      if (victim === undefined || secrets === undefined) throw new Error('no process');
      let answers = 0;
      const killAt = 3 + ((round * 7) % 23);
      const answered = async (): Promise<void> => {
        if (++answers === killAt) await team.kill(victim);
      };
      const lives = Array.from({ length: 40 }, async (_, i) => {
        const one = `secret ${next++}`;
        await secrets.put(one, one);
        put.add(one);
        await answered();
        if (i % 2 === 1) return;
        destroying.add(one);
        await secrets.destroy(one);
        destroyed.add(one);
        await answered();
      });
      for (const life of await Promise.allSettled(lives)) {
        if (life.status === 'rejected') expect(life.reason).toMatchObject({ code: 'killed' });
      }
      const after = await folderSecrets({ folder });
      for (let i = 0; i < next; i++) {
        const one = `secret ${i}`;
        const clear = await after.get(one);
        if (destroyed.has(one)) expect({ round, one, clear }).toEqual({ round, one });
        else if (put.has(one) && !destroying.has(one))
          expect({ round, clear }).toEqual({ round, clear: one });
        else expect([undefined, one]).toContain(clear);
      }
      for (const one of destroying) await after.destroy(one);
    }
    await ageUnfinished(folder);
    await folderSecrets({ folder });
    const left = (await everyFile(folder)).filter((f) => !/\.(secret|destroyed|key|id)$/.test(f));
    expect(left).toEqual([]);
    expect(put.size).toBeGreaterThan(12);
  }));
