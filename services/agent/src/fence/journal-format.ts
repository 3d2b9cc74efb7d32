/**
 * How a journal lies on disk: one line per durable append, `<crc32> <JSON array of records>`.
 * A bad last line is a torn append that nobody was told of; a bad line before a good one is damage.
 */
import { crc32 } from 'node:zlib';
import { z } from 'zod';

import { type JournalDisk, machineDisk } from './journal-disk.ts';

const Header = z.object({ journal: z.string() });

/** One append as it is written. JSON escapes line feeds, so a line is a whole append. */
export function encodeLine(records: readonly unknown[]): Buffer {
  const body = Buffer.from(JSON.stringify(records));
  return Buffer.concat([Buffer.from(`${sum(body)} `), body, Buffer.from('\n')]);
}

/** The records behind the header, and how many bytes of the file are whole lines (0: no file). */
export async function readJournal(
  file: string,
  kind: string,
  disk: Pick<JournalDisk, 'read'> = machineDisk,
): Promise<{ readonly records: readonly unknown[]; readonly bytes: number }> {
  const content = Buffer.from((await disk.read(file)) ?? []);
  const records: unknown[] = [];
  let bytes = 0;
  let bad: number | undefined;
  for (let start = 0; start < content.length;) {
    const end = content.indexOf(10, start);
    const line = end < 0 ? undefined : decodeLine(content.subarray(start, end));
    if (line === undefined) bad ??= start;
    else if (bad !== undefined) throw new JournalCorrupt(file, `byte ${bad} on does not add up`);
    else {
      for (const record of line) records.push(record);
      bytes = end + 1;
    }
    if (end < 0) break;
    start = end + 1;
  }
  if (bytes === 0) {
    // The header comes by rename, whole: a file without one was not torn by us.
    if (content.length > 0) throw new JournalCorrupt(file, 'it does not begin as one');
    return { records: [], bytes: 0 };
  }
  const header = Header.safeParse(records.shift());
  if (!header.success || header.data.journal !== kind)
    throw new JournalCorrupt(file, `it is not of the kind ${kind}`);
  return { records, bytes };
}

/** The file is not what was written; going on would forget what was promised. */
export class JournalCorrupt extends Error {
  constructor(file: string, why: string) {
    super(
      `${file} is damaged or no journal of ours: ${why}. Restore it or look at it; it was left.`,
    );
    this.name = 'JournalCorrupt';
  }
}

function decodeLine(line: Buffer): readonly unknown[] | undefined {
  const body = line.subarray(9);
  if (line.length < 11 || line.toString('latin1', 0, 9) !== `${sum(body)} `) return undefined;
  const records: unknown = JSON.parse(body.toString('utf8'));
  return Array.isArray(records) ? records : undefined;
}

function sum(body: Buffer): string {
  return crc32(body).toString(16).padStart(8, '0');
}
