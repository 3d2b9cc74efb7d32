/**
 * The envelope every event travels in: CloudEvents 1.0 with our extensions. The store, the bus and
 * the followers read the envelope only; the body is bytes to them, written once as canonical JSON
 * (RFC 8785) and never serialised again.
 */

/** A lower-case UUID in its 36-character form. */
export type Uuid = string;

/**
 * Where an event stands in one log. Fixed width, so that comparing strings compares positions.
 * Opaque to clients. See `formatPosition`.
 */
export type Position = string;

/** What the writer of an event says about it. All strings are UTF-8 without NUL. */
export interface EventEnvelope {
  /**
   * UUIDv5(commandkey, index of the event in its command, and what it says): the same id is the same
   * event, to the last byte, so that a store may take an append of known ids for one sent again.
   */
  readonly id: Uuid;
  /** Stable type name, `<context>.<PastTense>`. */
  readonly type: string;
  /** Version of the body's schema, from 1. */
  readonly schemaver: number;
  /** Recorded time, RFC 3339 UTC with milliseconds: max(injected clock, the stream's last time). */
  readonly time: string;
  /** The tenant whose thing this is. */
  readonly tenantid: string;
  /** The home of the stream: unit of order, of parking and of as-of. Fixed at creation. */
  readonly homeid: string;
  /** Lasting pseudonym of who caused it. */
  readonly actorid: string;
  readonly correlationid: string;
  /** The event or request that caused this one. */
  readonly causationid: string;
  /** UUIDv5(tenant, principal (of an API key: its member), command, stream or `new`, idempotency key). */
  readonly commandkey: Uuid;
  /** HMAC of the command's canonical input, base64url. */
  readonly inputhash: string;
}

/** An event about to be appended. `data` is canonical JSON. */
export interface NewEvent extends EventEnvelope {
  readonly data: Uint8Array;
}

/** An event as the log holds it. */
export interface StoredEvent extends NewEvent {
  /** `<category>-<typeid>`. */
  readonly stream: string;
  /** 0-based, gapless within the stream. */
  readonly revision: bigint;
  readonly position: Position;
  /** The epoch of the log: a restored backup starts a new one. */
  readonly epoch: string;
}

/** Width of a position: holds any unsigned 64-bit number. */
const POSITION_WIDTH = 20;

/** A number as a position of fixed width. */
export function formatPosition(n: bigint): Position {
  return n.toString().padStart(POSITION_WIDTH, '0');
}

/** The number in a position made by {@link formatPosition}. */
export function parsePosition(position: Position): bigint {
  if (!/^\d{20}$/.test(position)) {
    throw new RangeError(`not a position: ${JSON.stringify(position)}`);
  }
  return BigInt(position);
}

/** The largest body of one event, in bytes. What is larger goes to the blob port. */
export const MAX_EVENT_BYTES = 64 * 1024;

/** The largest sum of bodies in one append, in bytes. */
export const MAX_APPEND_BYTES = 512 * 1024;
