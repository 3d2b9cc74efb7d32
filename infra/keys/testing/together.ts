/** A folder and some processes that all use it, for tests; all is gone afterwards. */
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { bundledProgram, removeBuilds } from '../../process/testing/program.ts';
import { PortProcess } from './processes.ts';

export interface TemporaryFolder {
  readonly folder: string;
  readonly remove: () => Promise<void>;
}

/** A folder of one test, which is made by whoever opens it first. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const root = await mkdtemp(join(tmpdir(), 'bivouac-shared-'));
  return {
    folder: join(root, 'shared'),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

export async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const { folder, remove } = await temporaryFolder();
  try {
    await work(folder);
  } finally {
    await remove();
  }
}

/** Processes for all tests of a file. */
export class Team {
  #program: string | undefined;
  #members: PortProcess[] = [];

  /** So many, running; those that a test has killed are started anew. */
  members(count: number): readonly PortProcess[] {
    this.#program ??= bundledProgram('infra/keys/testing/port-child.ts');
    while (this.#members.length < count) this.#members.push(new PortProcess(this.#program));
    return this.#members.slice(0, count);
  }

  async kill(member: PortProcess): Promise<void> {
    this.#members = this.#members.filter((one) => one !== member);
    await member.end('SIGKILL');
  }

  async end(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.end()));
    this.#members = [];
    this.#program = undefined;
    removeBuilds();
  }
}

export async function everyFile(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return names.filter((name) => name.isFile()).map((name) => join(name.parentPath, name.name));
}

/** Makes what was left unfinished as old as what nobody is writing any more; answers those files. */
export async function ageUnfinished(folder: string): Promise<string[]> {
  const files = (await everyFile(folder)).filter((file) => file.endsWith('.unfinished'));
  const before = new Date(Date.now() - 2 * 60 * 60 * 1000);
  for (const file of files) await utimes(file, before, before);
  return files;
}
