// A log on a disk that fills up: a small tmpfs of the test's own, which takes the rights to mount one.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { checkAfterCrash, startCrashChild } from './testing/crash.ts';
import { newFolder, removeFolders } from './testing/folders.ts';

const MiB = 2 ** 20;
const mounted: string[] = [];
afterEach(() => {
  // Lazily: statements of this process that nobody has collected yet may hold a file.
  for (const folder of mounted.splice(0)) execFileSync('umount', ['-l', folder]);
});
afterAll(removeFolders);

/** A folder with so much room and no more; undefined where this process may not mount anything. */
function smallDisk(mebibytes: number): string | undefined {
  const folder = newFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder]);
  } catch (error) {
    const missing = `No tmpfs could be mounted (${String(error)}): run this test as root.`;
    if (process.env['CI'] === 'true') throw new Error(missing);
    process.stderr.write(`${missing}\n`);
    return undefined;
  }
  mounted.push(folder);
  return folder;
}

test('on a disk that is full no acknowledgement follows and the process ends; with room it goes on', async () => {
  const disk = smallDisk(8);
  if (disk === undefined) return;
  // The log's own folder, so that what else lies on the disk is not the log's.
  const folder = path.join(disk, 'log');
  const other = path.join(disk, 'of-somebody-else');
  writeFileSync(other, Buffer.alloc(5 * MiB));
  for (const [seed, writers] of [
    [1, 1],
    [2, 8],
    [3, 16],
  ] as const) {
    const child = startCrashChild(folder, { seed, writers, appends: 1_000_000 });
    await child.ended;
    expect(child.said[0]).toBe('opened');
    expect(child.said.at(-1)).toMatch(/^(failed|error (outcome-unknown|unavailable))$/);
    const acknowledged = child.said.filter((line) => line.startsWith('ack ')).length;
    expect(acknowledged).toBeGreaterThan(0);

    // Started again while nothing has changed: in words, or until it needs room.
    const again = startCrashChild(folder, { seed: 100 + seed, writers, appends: 1_000_000 });
    await again.ended;
    expect(again.said.at(-1)).toMatch(/^(failed|error (outcome-unknown|unavailable))$/);

    rmSync(other);
    const report = await checkAfterCrash(folder, child.said, seed);
    expect(report).toMatchObject({ acknowledged, violations: [] });
    // What the second was answered, if it came so far, is there too.
    const both = ['opened', ...child.said, ...again.said];
    expect((await checkAfterCrash(folder, both, 100 + seed)).violations).toEqual([]);
    writeFileSync(other, Buffer.alloc(5 * MiB - seed * 200_000));
  }
}, 120_000);
