/**
 * Gives a stopped log another epoch: what a log restored from an older copy needs. Its past is the
 * same, its future is not, and whoever saw the lost end must not take the two for one log.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Position } from '@bivouac/events/language';
import { EventStoreError } from '../port.ts';
import { positionOf } from './decode.ts';
import { LogFailure, messageOf } from './failure.js';
import { writeHeadRecord } from './head-record.js';
import { inspectLog } from './inspect.js';
import { ProcessLock } from './process-lock.js';
import { FILES } from './schema.js';
import { openDatabase } from './sqlite.js';

/** A log before and after it got another epoch. */
export interface RenewedEpoch {
  readonly before: string;
  readonly epoch: string;
  /** Of the last event. Null: the log is empty. */
  readonly head: Position | null;
}

/** Reaches between the two files that are written, for tests. */
export interface RenewalFaults {
  /** The log has its new epoch, the head record does not say so yet. */
  readonly beforeRecord?: () => void;
}

/**
 * Gives the log in a folder another epoch. Events, positions, revisions and ids stay as they are, and
 * the chain of rows begins at the log's origin as before. A renewal that was cut short leaves a log
 * that does not open; renewing once more completes it.
 *
 * @throws EventStoreError `store-in-use` where a process has the log open, `unavailable` where there is
 * none or it cannot be written, `corrupt` where it is not what was written.
 */
export function renewEpoch(
  folder: string,
  epoch: string = crypto.randomUUID(),
  faults: RenewalFaults = {},
): RenewedEpoch {
  const file = path.join(folder, FILES.log);
  if (!existsSync(file)) {
    throw new EventStoreError('unavailable', `there is no event log in ${folder}: name its folder`);
  }
  try {
    const lock = new ProcessLock(folder);
    try {
      return renewed(folder, file, epoch, faults);
    } finally {
      lock.release();
    }
  } catch (error) {
    if (error instanceof EventStoreError) throw error;
    if (error instanceof LogFailure) throw new EventStoreError(error.code, error.message);
    throw new EventStoreError(
      'unavailable',
      `the event log in ${folder} cannot be given another epoch: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function renewed(folder: string, file: string, epoch: string, faults: RenewalFaults): RenewedEpoch {
  // The record of a renewal that was cut short is of the epoch before; where the log ends, it is right.
  const { epoch: before, position, sum } = inspectLog(folder, { anyEpoch: true });
  if (before === epoch) {
    throw new EventStoreError('invalid', `the log's epoch is ${epoch} already: name another`);
  }
  const db = openDatabase(file);
  try {
    db.exec('PRAGMA synchronous = FULL');
    db.exec('BEGIN IMMEDIATE');
    db.prepare('UPDATE log SET epoch = ?').run(epoch);
    db.exec('COMMIT');
    // As the writer does at its close: the binding may keep the connection for a while.
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
  }
  faults.beforeRecord?.();
  writeHeadRecord(folder, { epoch, position, sum });
  return { before, epoch, head: position === 0 ? null : positionOf(position) };
}
