/**
 * Events as EventStoreDB holds them. The body is its canonical bytes as a binary event, because the
 * client would parse a JSON one and write it anew. The envelope is the metadata, a JSON object of
 * strings under the names of `events/language/envelope.ts`; id, type, stream and revision are the
 * server's own fields.
 */
import type { BinaryEventData, Position as LogPosition } from '@eventstore/db-client';
import {
  formatPosition,
  type NewEvent,
  type Position,
  type StoredEvent,
} from '@bivouac/events/language';
import { EventStoreError } from '../port.ts';

/** The stream that says which log this is; see `epoch.ts`. */
export const EPOCH_STREAM = 'epoch-log';

/** As much of the client's record as is read here. */
export interface ServerRecord {
  readonly streamId: string;
  readonly id: string;
  readonly revision: bigint;
  readonly type: string;
  readonly data: unknown;
  readonly metadata?: unknown;
  readonly position?: LogPosition;
}

/**
 * An event to send, in buffers of its own: the client takes them after the call has returned.
 */
export function toEventData(event: NewEvent): BinaryEventData {
  return {
    id: event.id,
    contentType: 'application/octet-stream',
    type: event.type,
    data: new Uint8Array(event.data),
    metadata: encodeMetadata(event),
  };
}

/** The envelope's fields that the server has none of its own for, always in this order. */
export function encodeMetadata(event: Omit<NewEvent, 'id' | 'type' | 'data'>): Uint8Array {
  const text = JSON.stringify({
    schemaver: String(event.schemaver),
    time: event.time,
    tenantid: event.tenantid,
    homeid: event.homeid,
    actorid: event.actorid,
    correlationid: event.correlationid,
    causationid: event.causationid,
    commandkey: event.commandkey,
    inputhash: event.inputhash,
  });
  // The client takes metadata as bytes only from exactly this class, not from a Buffer.
  return new Uint8Array(Buffer.from(text));
}

/** Whether a record is the server's or the adapter's own and nobody's to see. */
export function isHidden(record: ServerRecord): boolean {
  return (
    record.type.startsWith('$') ||
    record.streamId.startsWith('$') ||
    record.streamId === EPOCH_STREAM
  );
}

/** From here on a position is no position: servers that know none say 2^64 - 1. */
export const NOWHERE = 2n ** 63n;

/** The two numbers of a place in the log, as the server gives them and wants them back. */
export interface Place {
  readonly commit: bigint;
  readonly prepare: bigint;
}

/**
 * Where a record stands, whoever wrote it.
 *
 * @throws EventStoreError `unavailable` where the server does not say.
 */
export function placeOf(record: ServerRecord): Place {
  const { position } = record;
  if (position === undefined || position.commit >= NOWHERE) {
    throw new EventStoreError(
      'unavailable',
      `the server does not say where ${named(record)} stands in the log: use EventStoreDB 22.10 or later`,
    );
  }
  return { commit: position.commit, prepare: position.prepare };
}

/** Whether one place is behind another: by commit, within one commit by prepare. */
export function isBehind(one: Place, other: Place): boolean {
  return one.commit > other.commit || (one.commit === other.commit && one.prepare > other.prepare);
}

/**
 * Where an event of ours stands: one number, because a record written by gRPC is its own commit. Only the
 * explicit transactions of the old TCP protocol make the two differ; see docs/adr/0018.
 *
 * @throws EventStoreError `corrupt` where they differ, `unavailable` where the server gives none.
 */
export function positionOf(record: ServerRecord): Position {
  const { commit, prepare } = placeOf(record);
  if (commit !== prepare) {
    throw new EventStoreError(
      'corrupt',
      `${named(record)} was written in a transaction, so not by us`,
    );
  }
  return formatPosition(commit);
}

/**
 * A record as the port gives it.
 *
 * @throws EventStoreError `corrupt`, naming the event and what it lacks.
 */
export function toStored(record: ServerRecord, epoch: string): StoredEvent {
  const { data, metadata } = record;
  if (!(data instanceof Uint8Array)) throw foreign(record, 'its body is not of binary content');
  if (!isObject(metadata)) throw foreign(record, 'its metadata is no JSON object');
  const field = (name: string): string => {
    const value = metadata[name];
    if (typeof value !== 'string') throw foreign(record, `its metadata holds no text ${name}`);
    return value;
  };
  const schemaver = Number(field('schemaver'));
  if (!Number.isInteger(schemaver) || schemaver < 1)
    throw foreign(record, 'its schemaver is no version');
  return {
    id: record.id,
    type: record.type,
    schemaver,
    time: field('time'),
    tenantid: field('tenantid'),
    homeid: field('homeid'),
    actorid: field('actorid'),
    correlationid: field('correlationid'),
    causationid: field('causationid'),
    commandkey: field('commandkey'),
    inputhash: field('inputhash'),
    data,
    stream: record.streamId,
    revision: record.revision,
    position: positionOf(record),
    epoch,
  };
}

function named({ id, revision, streamId }: ServerRecord): string {
  return `event ${id} (revision ${revision} of ${streamId})`;
}

function foreign(record: ServerRecord, why: string): EventStoreError {
  return new EventStoreError(
    'corrupt',
    `${named(record)} was not written by Bivouac: ${why}. ` +
      'An EventStoreDB that Bivouac uses is written by Bivouac alone',
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
