// Blobs in one folder for several processes: the contract, races, kill -9, syncing.
import { mkdir, open, type FileHandle, link, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, jest, test } from '@jest/globals';

import { alternatingBlobs } from '../keys/testing/alternating.ts';
import {
  ageUnfinished,
  everyFile,
  Team,
  temporaryFolder,
  withFolder,
} from '../keys/testing/together.ts';
import { blobsContract } from './contract.ts';
import { createFile, InnerFolders, isCreated, readCreated } from './durable-file.ts';
import { folderBlobs } from './index.ts';

const team = new Team();
afterAll(() => team.end());

blobsContract('one folder, two openings in turn', async () => {
  const { folder, remove } = await temporaryFolder();
  const opening = () => folderBlobs({ folder });
  const blobs = alternatingBlobs(await Promise.all([opening(), opening()]));
  return { blobs, again: opening, dispose: remove };
});

blobsContract('one folder, three processes in turn', async () => {
  const { folder, remove } = await temporaryFolder();
  const all = await Promise.all(team.members(3).map((member) => member.openBlobs(folder)));
  const again = () => folderBlobs({ folder });
  return { blobs: alternatingBlobs(all), again, dispose: remove };
});

test('one blob put by several processes while others start is whole for all', () =>
  withFolder(async (folder) => {
    const [starting, ...members] = team.members(3);
    const all = await Promise.all(members.map((member) => member.openBlobs(folder)));
    let over = false;
    const starts = async (): Promise<void> => {
      for (let count = 0; !over || count < 10; count++) await starting?.openBlobs(folder);
    };
    const puts = async (): Promise<void> => {
      for (let round = 0; round < 60; round++) {
        const content = Buffer.alloc(50_000, `content ${round} `);
        const read = await Promise.all(
          all.map(async (blobs) => blobs.get(await blobs.put(content))),
        );
        for (const one of read) expect(one !== undefined && content.equals(one)).toBe(true);
      }
      over = true;
    };
    await Promise.all([starts(), puts()]);
  }));

test('a process killed at any moment leaves what was acknowledged, whole, and nothing half done', () =>
  withFolder(async (folder) => {
    const kept = new Map<string, Buffer>();
    for (let round = 0; round < 8; round++) {
      const [victim] = team.members(1);
      const blobs = await victim?.openBlobs(folder);
      if (victim === undefined || blobs === undefined) throw new Error('no process');
      let answers = 0;
      const killAt = 1 + ((round * 7) % 23);
      const puts = Array.from({ length: 40 }, async (_, i) => {
        const content = Buffer.alloc(40_000, `content ${round} ${i} `);
        kept.set(await blobs.put(content), content);
        if (++answers === killAt) await team.kill(victim);
      });
      for (const put of await Promise.allSettled(puts)) {
        if (put.status === 'rejected') expect(put.reason).toMatchObject({ code: 'killed' });
      }
      const after = await folderBlobs({ folder });
      for (const [digest, content] of kept) {
        expect(content.equals((await after.get(digest)) ?? Buffer.alloc(0))).toBe(true);
      }
    }
    await ageUnfinished(folder);
    const after = await folderBlobs({ folder });
    for (const file of await everyFile(folder)) {
      expect(file).toMatch(/[/\\][0-9a-f]{64}$/);
      expect(await after.get(file.slice(-64))).toBeDefined();
    }
    expect(kept.size).toBeGreaterThan(12);
  }));

function syncs(handles: unknown): handles is Pick<FileHandle, 'sync'> {
  return typeof handles === 'object' && handles !== null && 'sync' in handles;
}

/** Counts the syncs that work makes: what they are for, a power cut, no test can make. */
async function syncsOf(work: () => Promise<unknown>): Promise<number> {
  const any = await open(tmpdir(), 'r');
  const handles: unknown = Object.getPrototypeOf(any);
  await any.close();
  if (!syncs(handles)) throw new Error('file handles of this Node cannot be watched');
  const sync = jest.spyOn(handles, 'sync');
  try {
    await work();
    return sync.mock.calls.length;
  } finally {
    sync.mockRestore();
  }
}

test('nothing that another process has not made durable yet is taken or acknowledged', () =>
  withFolder(async (folder) => {
    const blobs = await folderBlobs({ folder });
    const content = Buffer.from('of another process');
    // Its folder and file are there, and nobody knows whether they are on the disk.
    const others = await folderBlobs({ folder });
    await others.put(content);
    expect(await syncsOf(() => blobs.put(content))).toBeGreaterThanOrEqual(2);

    const path = join(folder, 'created');
    await writeFile(path, 'x');
    expect(await syncsOf(() => readCreated(path))).toBe(0);
    expect(await syncsOf(() => isCreated(path))).toBe(0);
    // As it stands while its maker is about to sync the folder.
    await link(path, join(folder, '.created.00112233aabb.unfinished'));
    expect(await syncsOf(() => readCreated(path))).toBe(1);
    expect(await syncsOf(() => isCreated(path))).toBe(1);
    // Written beside, another's found in its place: the file written and the folder.
    expect(await syncsOf(() => createFile(path, Buffer.from('y')))).toBe(2);

    const inner = join(folder, 'inner');
    await mkdir(inner);
    const folders = new InnerFolders();
    expect(await syncsOf(() => folders.make(inner))).toBe(1);
    expect(await syncsOf(() => folders.make(inner))).toBe(0);
  }));
