/**
 * A copy of an embedded log at one moment, made while a process writes it or while none does, and read in
 * full before it is called one. SQLite copies the pages of one state; the head record that goes with them
 * is the one of before, so the copy must hold what it says, and is then made anew for where the copy ends.
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Position } from '@bivouac/events/language';
import { EventStoreError } from '../port.ts';
import { positionOf } from './decode.ts';
import { examineLog } from './examine.ts';
import { LogFailure, messageOf } from './failure.js';
import { writeHeadRecord } from './head-record.js';
import { inspectLog } from './inspect.js';
import { FILES } from './schema.js';
import { copyDatabase } from './sqlite.js';

/** A backup of a log, on the disk and whole. */
export interface LogBackup {
  readonly epoch: string;
  /** Of the last event in it. Null: the log was empty. */
  readonly head: Position | null;
  /** Of the files together. */
  readonly bytes: number;
}

/** Reaches between the steps, for tests. */
export interface BackupFaults {
  /** The files lie in their unfinished folder, and nothing of them was read yet. */
  readonly copied?: (unfinished: string) => void | Promise<void>;
}

/**
 * Copies the log in a folder into another, which must not exist or be empty. It appears there whole or not
 * at all; what was cut short is left beside it, named `.unfinished`, and replaced by the next try.
 *
 * @throws EventStoreError `invalid` where the target has something in it, `unavailable` where there is no
 * log or a file cannot be read or written, `corrupt` where the copy is not what was written: nothing is
 * left of it then, and the log itself is damaged.
 */
export async function backupLog(
  folder: string,
  to: string,
  faults: BackupFaults = {},
): Promise<LogBackup> {
  const file = path.join(folder, FILES.log);
  if (!existsSync(file)) {
    throw new EventStoreError('unavailable', `there is no event log in ${folder}: name its folder`);
  }
  const target = path.resolve(to);
  if (existsSync(target) && (await readdir(target)).length > 0) {
    throw new EventStoreError(
      'invalid',
      `${to} has files in it: name a new folder, one for each backup`,
    );
  }
  const unfinished = `${target}.unfinished`;
  try {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    await copyInto(unfinished, folder);
    await faults.copied?.(unfinished);
    const head = wholeEnd(unfinished);
    const bytes = await makeDurable(unfinished);
    await rm(target, { recursive: true, force: true });
    await rename(unfinished, target);
    await sync(path.dirname(target));
    return { ...head, bytes };
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true }).catch(() => undefined);
    if (error instanceof EventStoreError) throw error;
    if (error instanceof LogFailure) throw new EventStoreError(error.code, error.message);
    throw new EventStoreError(
      'unavailable',
      `the event log in ${folder} cannot be copied to ${to}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function copyInto(unfinished: string, folder: string): Promise<void> {
  // Before the log: the copy may be ahead of its record, never behind it.
  const head = path.join(folder, FILES.head);
  if (existsSync(head)) await copyFile(head, path.join(unfinished, FILES.head));
  await copyDatabase(path.join(folder, FILES.log), path.join(unfinished, FILES.log));
}

/** Where the copy ends, once each of its rows was read. */
function wholeEnd(unfinished: string): Pick<LogBackup, 'epoch' | 'head'> {
  const { epoch, position, sum } = inspectLog(unfinished);
  writeHeadRecord(unfinished, { epoch, position, sum });
  const log = examineLog(unfinished);
  try {
    const whole = log.wholeFaults();
    for (const fault of whole) throw damaged(`${fault.position ?? 'the log'}: ${fault.what}`);
    for (const { position: at, faults } of log.rows()) {
      for (const fault of faults) throw damaged(`${fault.position ?? at}: ${fault.what}`);
    }
  } finally {
    log.close();
  }
  return { epoch, head: position === 0 ? null : positionOf(position) };
}

function damaged(what: string): EventStoreError {
  return new EventStoreError(
    'corrupt',
    `the copy is not what was written, so the log is damaged (${what}). No backup was made: ` +
      'stop the installation, keep its folder, and restore the last good backup',
  );
}

/** Leaves the log and its head record alone in the folder, on the disk; answers their size. */
async function makeDurable(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    // What reading it has made beside it: a lock, and a write-ahead log with nothing in it.
    if (name !== FILES.log && name !== FILES.head) {
      await rm(file, { force: true });
      continue;
    }
    await sync(file);
    bytes += (await stat(file)).size;
  }
  await sync(folder);
  return bytes;
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
