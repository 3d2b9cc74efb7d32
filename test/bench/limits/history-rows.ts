/**
 * The limit of a page of history: plain SQLite reads the same rows of the same file, by the stream's
 * index or by positions that are known beforehand, and parses each body; nothing is checked.
 */
import path from 'node:path';

import { DatabaseSync } from '@photostructure/sqlite';

/** Of a row: the envelope's text begins here, its length stands there, a sum ends the row. */
const ENVELOPE = 24;
const ENVELOPE_LENGTH = 20;
const SUM = 4;

export class BareHistory {
  readonly #db: InstanceType<typeof DatabaseSync>;
  readonly #stream;
  readonly #position;

  /** @param folder of the log. */
  constructor(folder: string) {
    this.#db = new DatabaseSync(path.join(folder, 'events.sqlite'), { readOnly: true });
    this.#stream = this.#db.prepare(
      'SELECT frame FROM events WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?',
    );
    this.#position = this.#db.prepare('SELECT frame FROM events WHERE position = ?');
  }

  /** Bodies of a stream from a revision on. */
  ofStream(stream: string, revision: number, count: number): unknown[] {
    const rows = this.#stream.all(stream, revision, count) as { frame: Uint8Array }[];
    return rows.map(({ frame }) => bodyOf(frame));
  }

  /** Bodies at positions. */
  at(positions: readonly number[]): unknown[] {
    return positions.map((position) => {
      const row = this.#position.get(position) as { frame: Uint8Array };
      return bodyOf(row.frame);
    });
  }

  close(): void {
    this.#db.close();
  }
}

function bodyOf(frame: Uint8Array): unknown {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  const body = ENVELOPE + bytes.readUInt16LE(ENVELOPE_LENGTH);
  return JSON.parse(bytes.toString('utf8', body, bytes.length - SUM));
}
