/**
 * One process per log: an exclusive lock on a file of its own, which the kernel frees when the
 * process dies, however it dies.
 */
import path from 'node:path';
import { LogFailure, messageOf } from './failure.js';
import { FILES } from './schema.js';
import { openDatabase } from './sqlite.js';

/** Never open this file with `fs` in the same process: closing it would drop the lock (POSIX). */
export class ProcessLock {
  /** @type {import('./sqlite.js').Database} */
  #db;

  /** @param {string} folder */
  constructor(folder) {
    this.#db = openDatabase(path.join(folder, FILES.lock));
    try {
      this.#db.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      this.#db.close();
      const message = messageOf(error);
      if (!/locked|busy/i.test(message)) throw error;
      throw new LogFailure(
        'store-in-use',
        `the event log in ${folder} is in use by another process: stop it, or use another folder`,
      );
    }
  }

  release() {
    this.#db.close();
  }
}
