/**
 * The SQLite binding, behind one file: everything else sees these few methods. The binding aborts
 * the process if a statement outlives its database, so statements stay with whoever owns it.
 */
import { backup, DatabaseSync } from '@photostructure/sqlite';

/**
 * @typedef {object} Statement
 * @property {(...parameters: (string | number | Uint8Array)[]) => unknown} run
 * @property {(...parameters: (string | number | Uint8Array)[]) => unknown} get one row or undefined
 * @property {(...parameters: (string | number | Uint8Array)[]) => unknown[]} all
 */

/**
 * @typedef {object} Database
 * @property {(sql: string) => void} exec
 * @property {(sql: string) => Statement} prepare
 * @property {() => void} close
 */

/**
 * @param {string} path
 * @param {{ readOnly?: boolean }} [options]
 * @returns {Database}
 */
export function openDatabase(path, options = {}) {
  return new DatabaseSync(path, { readOnly: options.readOnly ?? false, timeout: 0 });
}

/**
 * Copies a database, as it is at one moment, into a new file.
 *
 * All pages in one step: copied in several, it begins anew whenever another process has written in
 * between, and under load would never end.
 * @param {string} from
 * @param {string} to
 */
export async function copyDatabase(from, to) {
  const source = new DatabaseSync(from, { readOnly: true, timeout: 0 });
  try {
    await backup(source, to, { rate: -1 });
  } finally {
    source.close();
  }
}
