/**
 * What every adapter refuses before it writes anything: appends that are empty, too large or
 * malformed. The message names the field, so that the caller knows what to correct.
 */
import { isUtf8 } from 'node:buffer';
import {
  MAX_APPEND_BYTES,
  MAX_EVENT_BYTES,
  type NewEvent,
  type Position,
} from '@bivouac/events/language';
import { EventStoreError, type ExpectedRevision } from './port.ts';

/** The largest number of events in one append. */
export const MAX_APPEND_EVENTS = 1000;

/** The largest envelope field, in UTF-16 units. Together they stay far below one page of a store. */
const MAX_FIELD = 512;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** What almost every field is made of, and needs no closer look. */
const PLAIN = /^[\x20-\x7e]*$/;
/** NUL separates fields inside the log; a lone surrogate has no UTF-8 form and would not come back. */
const UNSTORABLE = /[\0\ud800-\udfff]/u;

const REQUIRED = ['type', 'tenantid', 'homeid'] as const;
const OPTIONAL = ['actorid', 'correlationid', 'causationid', 'inputhash'] as const;

/**
 * Checks an append. Returns nothing; what passes may be written as it is.
 *
 * @throws EventStoreError `invalid` or `too-large`, its message naming the field.
 */
export function checkAppend(
  stream: string,
  expected: ExpectedRevision,
  events: readonly NewEvent[],
): void {
  checkText('stream', stream, true);
  checkExpected(expected);
  const first = events[0];
  if (first === undefined) invalid('events', 'is empty: an append carries at least one event');
  if (events.length > MAX_APPEND_EVENTS) {
    tooLarge('events', `holds ${events.length} events, more than ${MAX_APPEND_EVENTS}`);
  }
  let bytes = 0;
  for (let i = 0; i < events.length; i++) {
    const event = events[i];
    if (event === undefined) invalid(`events[${i}]`, 'is missing');
    checkEvent(`events[${i}]`, event);
    if (event.homeid !== first.homeid) {
      invalid(`events[${i}].homeid`, 'differs from the first event: a stream has one home');
    }
    bytes += event.data.length;
  }
  if (bytes > MAX_APPEND_BYTES) {
    tooLarge('events', `hold ${bytes} bytes of data, more than ${MAX_APPEND_BYTES}`);
  }
  if (events.length > 1) checkIdsDiffer(events);
}

/** A page size: a whole number from 1. */
export function checkLimit(limit: number | undefined, otherwise: number): number {
  if (limit === undefined) return otherwise;
  if (!Number.isSafeInteger(limit) || limit < 1) invalid('limit', 'is not a whole number from 1');
  return limit;
}

/** The number in a position; `otherwise` where there is none. */
export function checkPosition(position: Position | undefined, otherwise: number): number {
  if (position === undefined) return otherwise;
  if (!/^\d{20}$/.test(position)) invalid('position', `${JSON.stringify(position)} is none`);
  return Number(position);
}

function checkExpected(expected: ExpectedRevision): void {
  if (expected === 'no-stream') return;
  if (typeof expected !== 'bigint' || expected < 0n || expected > BigInt(2 ** 47)) {
    invalid('expected', "is neither 'no-stream' nor a revision from 0");
  }
}

function checkEvent(where: string, event: NewEvent): void {
  if (!UUID.test(event.id)) invalid(`${where}.id`, 'is not a lower-case UUID');
  if (!UUID.test(event.commandkey)) invalid(`${where}.commandkey`, 'is not a lower-case UUID');
  if (!TIME.test(event.time)) invalid(`${where}.time`, 'is not RFC 3339 UTC with milliseconds');
  if (!Number.isInteger(event.schemaver) || event.schemaver < 1 || event.schemaver > 0xffff) {
    invalid(`${where}.schemaver`, 'is not a whole number from 1 to 65535');
  }
  for (const field of REQUIRED) checkText(`${where}.`, event[field], true, field);
  for (const field of OPTIONAL) checkText(`${where}.`, event[field], false, field);
  const { data } = event;
  if (!(data instanceof Uint8Array)) invalid(`${where}.data`, 'is not a Uint8Array');
  if (data.length === 0) invalid(`${where}.data`, 'is empty: a body is canonical JSON');
  if (data.length > MAX_EVENT_BYTES) {
    tooLarge(`${where}.data`, `holds ${data.length} bytes, more than ${MAX_EVENT_BYTES}`);
  }
  if (!isUtf8(data)) invalid(`${where}.data`, 'is not UTF-8');
}

/** The name comes in two parts so that the common case, nothing to refuse, builds no string. */
function checkText(where: string, value: string, required: boolean, field = ''): void {
  if (typeof value !== 'string') invalid(where + field, 'is not a string');
  if (required && value.length === 0) invalid(where + field, 'is empty');
  if (value.length > MAX_FIELD) {
    tooLarge(where + field, `is ${value.length} characters long, more than ${MAX_FIELD}`);
  }
  if (!PLAIN.test(value) && UNSTORABLE.test(value))
    invalid(where + field, 'holds a NUL or half a surrogate pair');
}

function checkIdsDiffer(events: readonly NewEvent[]): void {
  const seen = new Set<string>();
  for (const [i, { id }] of events.entries()) {
    if (seen.has(id)) invalid(`events[${i}].id`, `repeats ${id}: ids differ within an append`);
    seen.add(id);
  }
}

function invalid(field: string, why: string): never {
  throw new EventStoreError('invalid', `${field} ${why}`);
}

function tooLarge(field: string, why: string): never {
  throw new EventStoreError('too-large', `${field} ${why}`);
}
