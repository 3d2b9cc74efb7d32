/**
 * From a page of frames to events: the hot path of every replay. Every byte of a page is checked at
 * once; then each frame costs one string, split into its fields, and its body is a view of the page.
 */
import type { Position, StoredEvent } from '@bivouac/events/language';
import { EventStoreError } from '../port.ts';
import { HEADER, isSound, OVERHEAD } from './frame.js';

const ZEROS = '00000000000000000000';

/** A position's number as the fixed-width string, without a bigint on the way. */
export function positionOf(n: number): Position {
  const digits = String(n);
  return ZEROS.slice(digits.length) + digits;
}

/** The error of a log that is not what was written; `what` names the event and the damage. */
export function damaged(what: string): EventStoreError {
  return new EventStoreError(
    'corrupt',
    `the event log is damaged: ${what}. Stop, and restore its folder from a backup`,
  );
}

/**
 * The bytes of a page, once each of its frames is known to be what was written.
 *
 * @throws EventStoreError `corrupt`, naming the first frame that is not.
 */
export function soundBytes(page: Uint8Array): Buffer {
  const bytes = Buffer.from(page.buffer, page.byteOffset, page.byteLength);
  if (!isSound(bytes)) throw damaged(nameDamage(bytes));
  return bytes;
}

/**
 * Checks that the frames of a page follow each other in the log without a gap.
 *
 * @param bytes - from {@link soundBytes}
 * @param position - of the first frame
 * @param before - sum of the frame before it, if known
 */
export function checkChain(bytes: Buffer, position: number, before: number | undefined): void {
  let expected = position;
  let chain = before;
  for (let start = 0; start < bytes.length; expected += 1) {
    const found = bytes.readUIntLE(start + 8, 6);
    if (found !== expected) {
      throw damaged(`the event at position ${expected} is missing, ${found} stands there`);
    }
    if (chain !== undefined && bytes.readUInt32LE(start + 4) !== chain) {
      throw damaged(`the event at position ${expected} does not follow the one before it`);
    }
    start += bytes.readUInt32LE(start);
    chain = bytes.readUInt32LE(start - 4);
  }
}

/** Decodes the frames of a page. `bytes` come from {@link soundBytes}. */
export function decodeFrames(bytes: Buffer, epoch: string): StoredEvent[] {
  const events: StoredEvent[] = [];
  let field: readonly string[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = start + bytes.readUInt32LE(start);
    const text = start + HEADER;
    const body = text + bytes.readUInt16LE(start + 20);
    field = fieldsOf(bytes, text, body, field);
    events.push({
      stream: field[0] ?? '',
      revision: BigInt(bytes.readUIntLE(start + 14, 6)),
      position: positionOf(bytes.readUIntLE(start + 8, 6)),
      epoch,
      id: field[1] ?? '',
      type: field[2] ?? '',
      schemaver: bytes.readUInt16LE(start + 22),
      time: field[3] ?? '',
      tenantid: field[4] ?? '',
      homeid: field[5] ?? '',
      actorid: field[6] ?? '',
      correlationid: field[7] ?? '',
      causationid: field[8] ?? '',
      commandkey: field[9] ?? '',
      inputhash: field[10] ?? '',
      data: bytes.subarray(body, end - 4),
    });
    start = end;
  }
  return events;
}

/**
 * The fields of an envelope text. A part of a longer string keeps all of it in memory, and read models
 * keep streams, ids, times and the like for as long as they keep rows: those get strings of their own,
 * or that of the event before where it is the same. Nobody keeps what follows them.
 */
function fieldsOf(bytes: Buffer, start: number, end: number, before: readonly string[]): string[] {
  const text = bytes.toString('utf8', start, end);
  if (text.length !== end - start) {
    // Not ASCII: where a field stands in the text is not where it stands among the bytes.
    return text.split('\0').map((field) => Buffer.from(field).toString());
  }
  const fields: string[] = [];
  for (let from = 0, i = 0; from <= text.length; i++) {
    const next = text.indexOf('\0', from);
    const to = next < 0 ? text.length : next;
    const same = before[i];
    if (i >= KEPT) fields.push(text.slice(from, to));
    else if (same?.length === to - from && text.startsWith(same, from)) fields.push(same);
    else fields.push(bytes.toString('latin1', start + from, start + to));
    from = to + 1;
  }
  return fields;
}

/** How many fields, from the first, read models may keep: up to who caused the event. */
const KEPT = 7;

/** The first frame of a page that is not sound, in words. */
function nameDamage(bytes: Buffer): string {
  for (let start = 0; start < bytes.length;) {
    const length = start + OVERHEAD <= bytes.length ? bytes.readUInt32LE(start) : 0;
    const end = start + length;
    if (length < OVERHEAD || end > bytes.length || !isSound(bytes.subarray(start, end))) {
      const claimed = start + 14 <= bytes.length ? bytes.readUIntLE(start + 8, 6) : 'unknown';
      return `the event that claims position ${claimed} fails its checksum`;
    }
    start = end;
  }
  return 'a page of events fails its checksum';
}
