/**
 * The head record: where the log ended, kept apart from it. SQLite ends a damaged write-ahead log at
 * the first bad page and calls it sound; this small file is how a lost tail is noticed.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { FILES } from './schema.js';

/**
 * @typedef {object} HeadRecord
 * @property {string} epoch
 * @property {number} position of the last event; 0 if there is none
 * @property {number} sum of the last frame; the chain's seed if there is none
 */

/**
 * Writes the record whole or not at all: a new file, made durable, then renamed over the old.
 * @param {string} folder
 * @param {HeadRecord} record
 */
export function writeHeadRecord(folder, record) {
  const name = path.join(folder, FILES.head);
  const text = JSON.stringify([1, record.epoch, record.position, record.sum]);
  const file = openSync(`${name}.new`, 'w', 0o600);
  try {
    writeSync(file, `${text} ${crc32(text)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${name}.new`, name);
  const directory = openSync(folder, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/**
 * Reads the record. Absent: there is none. `damaged`: the file is not what was written.
 * @param {string} folder
 * @returns {HeadRecord | 'absent' | 'damaged'}
 */
export function readHeadRecord(folder) {
  let content;
  try {
    content = readFileSync(path.join(folder, FILES.head), 'utf8');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return 'absent';
    throw error;
  }
  const [, text, sum] = /^(\[.*\]) (\d+)\n$/.exec(content) ?? [];
  if (text === undefined || String(crc32(text)) !== sum) return 'damaged';
  const [version, epoch, position, last] = /** @type {[number, string, number, number]} */ (
    JSON.parse(text)
  );
  return version === 1 ? { epoch, position, sum: last } : 'damaged';
}
