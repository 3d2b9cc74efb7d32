/**
 * A machine's disk: what was synced stays, what was only written is torn somewhere when the process that
 * wrote it dies. (That the page cache outlives a process is a kindness that power cuts do not have.)
 */
import type { JournalDisk, JournalFile } from '../../../services/agent/src/fence/journal-disk.ts';
import type { SimulatedProcess } from './process.ts';

interface File {
  synced: Buffer;
  written: Buffer;
}

export class SimulatedDisk {
  readonly #files = new Map<string, File>();

  /** The disk as a process has it. */
  of(process: SimulatedProcess): JournalDisk {
    const { draws } = process.surroundings;
    process.onEnd(() => {
      this.#tear((most) => draws.between(0, most));
    });
    const io = <T>(what: string, act: () => T): Promise<T> =>
      process.local(what, draws.unit() * 2, act);
    const opened = (name: string, file: File): JournalFile => ({
      appendFile: (data) =>
        io(`writes ${name}`, () => {
          file.written = Buffer.concat([file.written, data]);
        }),
      datasync: () =>
        io(`syncs ${name}`, () => {
          sync(file);
        }),
      close: () => Promise.resolve(),
    });
    return {
      mkdir: () => Promise.resolve(),
      read: (name) => io(`reads ${name}`, () => this.content(name)),
      create: (name) =>
        io(`makes ${name}`, () => {
          const file = { synced: Buffer.alloc(0), written: Buffer.alloc(0) };
          this.#files.set(name, file);
          return opened(name, file);
        }),
      continue: (name, bytes) =>
        io(`opens ${name}`, () => {
          const file = this.#files.get(name);
          if (file === undefined) throw new Error(`there is no ${name}`);
          sync(file);
          file.synced = file.synced.subarray(0, bytes);
          return opened(name, file);
        }),
      replace: (name, by) =>
        io(`puts ${by} in place`, () => {
          const file = this.#files.get(by);
          if (file === undefined) throw new Error(`there is no ${by}`);
          this.#files.delete(by);
          this.#files.set(name, file);
        }),
    };
  }

  /** What a file holds at this moment. */
  content(name: string): Buffer | undefined {
    const file = this.#files.get(name);
    return file && Buffer.concat([file.synced, file.written]);
  }

  #tear(between: (most: number) => number): void {
    for (const file of this.#files.values()) {
      file.written = file.written.subarray(0, between(file.written.length));
      sync(file);
    }
  }
}

function sync(file: File): void {
  file.synced = Buffer.concat([file.synced, file.written]);
  file.written = Buffer.alloc(0);
}
