/**
 * The limit of a rebuild: plain SQLite reads every row of the same log and parses each body; nothing
 * is checked and nothing written. First argument: the log's folder. Prints events and seconds.
 */
import { DatabaseSync } from '@photostructure/sqlite';
import path from 'node:path';

/** Of a row: the envelope's text begins here, its length stands there, a sum ends the row. */
const ENVELOPE = 24;
const ENVELOPE_LENGTH = 20;
const SUM = 4;
const PAGE = 500;

const db = new DatabaseSync(path.join(process.argv[2] ?? '', 'events.sqlite'), { readOnly: true });
const pages = db.prepare('SELECT frame FROM events WHERE position > ? ORDER BY position LIMIT ?');
const began = performance.now();
let events = 0;
for (;;) {
  const rows = pages.all(events, PAGE) as { frame: Uint8Array }[];
  for (const { frame } of rows) {
    const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
    const body = ENVELOPE + bytes.readUInt16LE(ENVELOPE_LENGTH);
    JSON.parse(bytes.toString('utf8', body, bytes.length - SUM));
  }
  events += rows.length;
  if (rows.length < PAGE) break;
}
console.log(JSON.stringify({ events, seconds: (performance.now() - began) / 1000, peakBytes: 0 }));
db.close();
process.disconnect?.();
