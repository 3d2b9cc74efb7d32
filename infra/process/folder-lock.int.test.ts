/** One process a folder, whatever the folder is called, until the process ends in whatever way. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { FolderInUse, lockFolder } from './folder-lock.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bivouac-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a folder that is taken is refused by name, also by another path, until it is let go', async () => {
  const other = join(tmpdir(), `bivouac-lock-${process.pid}`);
  await symlink(folder, other);
  try {
    const unlock = await lockFolder(folder, 'agent', 'Set AGENT_DIR.');
    await expect(lockFolder(folder, 'agent', 'Set AGENT_DIR.')).rejects.toThrow(FolderInUse);
    await expect(lockFolder(other, 'agent', 'Set AGENT_DIR.')).rejects.toThrow(
      /Another process runs on .*AGENT_DIR/,
    );
    // What has another use is none of this one's business.
    await (
      await lockFolder(folder, 'other', 'Set DATA_DIR.')
    )();
    await unlock();
    await (
      await lockFolder(other, 'agent', 'Set AGENT_DIR.')
    )();
  } finally {
    await rm(other);
  }
});

test('a process that is killed leaves no lock behind', async () => {
  const lock = fileURLToPath(import.meta.resolve('./folder-lock.ts'));
  const program = `import { lockFolder } from ${JSON.stringify(lock)};
    await lockFolder(${JSON.stringify(folder)}, 'agent', 'Set AGENT_DIR.');
    console.log('locked');
    setInterval(() => undefined, 1000);`;
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', program],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(child.stdout, 'data');
  await expect(lockFolder(folder, 'agent', 'Set AGENT_DIR.')).rejects.toThrow(FolderInUse);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  await (
    await lockFolder(folder, 'agent', 'Set AGENT_DIR.')
  )();
});
