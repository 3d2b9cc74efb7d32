// Durable before acknowledged, seen from outside: the system calls of a process that appends, on a
// disk that works and on one that fails (Debian's strace and fiu-utils; infra/dev/install-fiu.sh).
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { checkAfterCrash, type CrashPlan, startCrashChild } from './testing/crash.ts';
import { newFolder, removeFolders } from './testing/folders.ts';

afterAll(removeFolders);

const TIMEOUT = 120_000;

interface Trace {
  readonly acknowledged: number;
  /** Acknowledgements that no returned sync stands before. */
  readonly unsynced: string[];
}

/**
 * Reads a trace in the order the kernel saw it: with one writer, each acknowledgement must have a
 * sync of the write-ahead log of its own that returned 0 since the one before it.
 */
function readTrace(file: string): Trace {
  let synced = false;
  let acknowledged = 0;
  const unsynced: string[] = [];
  const syncing = new Set<string>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const thread = line.split(' ')[0] ?? '';
    if (/f(data)?sync\(\d+<.*-wal>/.test(line)) syncing.add(thread);
    if (/f(data)?sync.*\) += /.test(line)) {
      if (syncing.delete(thread) && line.endsWith('= 0')) synced = true;
    }
    const ack = /write\(1<[^>]*>, "(ack [^"]*)/.exec(line)?.[1];
    if (ack === undefined) continue;
    acknowledged += 1;
    if (!synced) unsynced.push(ack);
    synced = false;
  }
  return { acknowledged, unsynced };
}

async function traced(folder: string, plan: CrashPlan, faults: readonly string[]) {
  const trace = path.join(newFolder(), 'trace');
  const strace = ['strace', '-f', '-y', '-e', 'trace=fsync,fdatasync,write', '-o', trace];
  const child = startCrashChild(folder, plan, [...strace, ...faults]);
  await child.ended;
  return { said: child.said, ...readTrace(trace) };
}

test(
  'every acknowledgement follows a sync of the log that returned',
  async () => {
    const folder = newFolder();
    const run = await traced(folder, { seed: 1, writers: 1, appends: 200 }, []);
    expect(run.said.at(-1)).toBe('closed');
    expect(run.acknowledged).toBe(200);
    expect(run.unsynced).toEqual([]);
  },
  TIMEOUT,
);

test.each([
  // The binding's SQLite calls fsync; a build that calls fdatasync is covered as well.
  ['a sync', 'posix/io/sync/*', 0.02],
  ['a write', 'posix/io/rw/pwrite', 0.01],
])(
  'when %s fails, no acknowledgement follows and the process ends; the log is whole',
  async (_, name, probability) => {
    const folder = newFolder();
    const faults = ['fiu-run', '-x', '-c', `enable_random name=${name},probability=${probability}`];
    let failed = 0;
    for (let seed = 1; failed < 3; seed++) {
      if (seed > 40) throw new Error('no fault was seen: is it injected at all?');
      // The folder is made sound first: what fails here is a log in use, not its creation.
      const before = await traced(folder, { seed: 1000 + seed, writers: 1, appends: 1 }, []);
      expect(before.said.at(-1)).toBe('closed');
      const run = await traced(folder, { seed, writers: 1, appends: 400 }, faults);
      expect(run.unsynced).toEqual([]);
      if (!run.said.includes('opened')) {
        expect(run.said.at(-1)).toMatch(/^error (unavailable|corrupt)/);
        continue;
      }
      const end = run.said.at(-1);
      if (end !== 'closed') {
        failed += 1;
        expect(end).toMatch(/^(failed|error outcome-unknown|error unavailable)$/);
      }
      expect((await checkAfterCrash(folder, run.said, seed)).violations).toEqual([]);
    }
  },
  TIMEOUT,
);
