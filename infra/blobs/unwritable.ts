/** For tests: folders that cannot be used, each with the remedy an operator should read. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An account without rights; permissions do not bind root. */
const NOBODY = 65534;

/** Runs work on a read-only folder and on a path that leads through a file. */
export async function unwritable(
  work: (folder: string, remedy: string) => Promise<void>,
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'bivouac-unwritable-'));
  await chmod(root, 0o755);
  try {
    await writeFile(join(root, 'file'), '');
    await work(join(root, 'file', 'folder'), 'a part of the path is a file');
    const readOnly = join(root, 'read-only');
    await mkdir(readOnly);
    await chmod(readOnly, 0o555);
    await asNobody(() => work(readOnly, 'permission denied'));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function asNobody(work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(NOBODY);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}
