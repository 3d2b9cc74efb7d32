/**
 * Looks over a log before it is used: its structure, its indexes against its table, and its end
 * against the head record. Rows themselves are checked by every read.
 */
import path from 'node:path';
import { chainSeed, isSound } from './frame.js';
import { LogFailure, messageOf } from './failure.js';
import { readHeadRecord } from './head-record.js';
import { APPLICATION_ID, FILES, hasTables } from './schema.js';
import { openDatabase } from './sqlite.js';

/**
 * Answers where the log ends. The connection is read-only, so that a damaged log is left as it was
 * found: closing the last writing connection would fold the write-ahead log in and remove it.
 * @param {string} folder
 * @param {{ anyEpoch?: boolean }} [options] anyEpoch: the record may name another epoch than the log
 * @returns {import('./head-record.js').HeadRecord & { recorded: boolean }}
 */
export function inspectLog(folder, options = {}) {
  const db = openDatabase(path.join(folder, FILES.log), { readOnly: true });
  try {
    return inspect(db, folder, options.anyEpoch ?? false);
  } catch (error) {
    if (error instanceof LogFailure) throw error;
    const message = messageOf(error);
    // Everything else SQLite says here (not a database, malformed, bad encoding) is damage.
    if (/unable to open|readonly|permission|disk I\/O/i.test(message)) throw error;
    throw corrupt(folder, message);
  } finally {
    db.close();
  }
}

/**
 * @param {import('./sqlite.js').Database} db
 * @param {string} folder
 * @param {boolean} anyEpoch
 */
function inspect(db, folder, anyEpoch) {
  const id = /** @type {{ application_id: number }} */ (db.prepare('PRAGMA application_id').get());
  if (id.application_id !== APPLICATION_ID || !hasTables(db)) {
    throw corrupt(folder, `${FILES.log} is not a log of this version`);
  }
  const found = /** @type {{ integrity_check: string }[]} */ (
    db.prepare('PRAGMA integrity_check(1)').all()
  );
  if (found[0]?.integrity_check !== 'ok') throw corrupt(folder, found[0]?.integrity_check ?? '');
  const logs = /** @type {{ epoch: string, origin: string }[]} */ (
    db.prepare('SELECT epoch, origin FROM log').all()
  );
  const [log] = logs;
  if (log === undefined || logs.length !== 1) throw corrupt(folder, 'it has no epoch');
  const { n, last } = /** @type {{ n: number, last: number }} */ (
    db.prepare('SELECT count(*) AS n, coalesce(max(position), 0) AS last FROM events').get()
  );
  if (n !== last) {
    throw corrupt(folder, `it ends at position ${last} but holds ${n} events: ${last - n} missing`);
  }
  const sumAt = sumReader(db, folder, log.origin);
  checkRecord(folder, anyEpoch ? undefined : log.epoch, last, sumAt);
  const record = readHeadRecord(folder);
  return {
    epoch: log.epoch,
    position: last,
    sum: sumAt(last),
    recorded: typeof record === 'object' && record.position === last,
  };
}

/**
 * @param {string} folder
 * @param {string | undefined} epoch
 * @param {number} last
 * @param {(position: number) => number} sumAt
 */
function checkRecord(folder, epoch, last, sumAt) {
  const record = readHeadRecord(folder);
  if (record === 'damaged') throw corrupt(folder, `the head record ${FILES.head} is damaged`);
  if (record === 'absent') {
    // Creation writes the record after the tables: a death in between leaves an empty log.
    if (last === 0) return;
    throw corrupt(folder, `the head record ${FILES.head} is missing`);
  }
  if (epoch !== undefined && record.epoch !== epoch) {
    throw corrupt(folder, `the head record is of epoch ${record.epoch}, the log of ${epoch}`);
  }
  if (record.position > last) {
    throw corrupt(
      folder,
      `its tail is lost: it ends at position ${last}, but ${record.position} was recorded`,
    );
  }
  if (record.sum !== sumAt(record.position)) {
    throw corrupt(folder, `the event at position ${record.position} is not the one recorded`);
  }
}

/**
 * @param {import('./sqlite.js').Database} db
 * @param {string} folder
 * @param {string} origin
 */
function sumReader(db, folder, origin) {
  const statement = db.prepare('SELECT frame FROM events WHERE position = ?');
  return (/** @type {number} */ position) => {
    if (position === 0) return chainSeed(origin);
    const row = /** @type {{ frame: Uint8Array } | undefined} */ (statement.get(position));
    if (row === undefined || !isSound(row.frame)) {
      throw corrupt(folder, `the event at position ${position} fails its checksum`);
    }
    return Buffer.from(row.frame).readUInt32LE(row.frame.length - 4);
  };
}

/**
 * @param {string} folder
 * @param {string} what
 */
export function corrupt(folder, what) {
  return new LogFailure(
    'corrupt',
    `the event log in ${folder} is damaged: ${what}. Nothing was changed: restore the folder from a backup`,
  );
}
