/**
 * Bus messages as Kafka's: CloudEvents 1.0 in binary mode, one header per attribute (`ce_…`), the value
 * the body's bytes as they were written. Markers are CloudEvents too, so that anybody can skip them.
 */
import type { Position, StoredEvent } from '@bivouac/events/language';
import { type IHeaders } from 'kafkajs';

import { partitionOf } from '../partition.ts';
import type { BusMessage } from '../port.ts';

/** A message for the client to send. */
export interface Outgoing {
  readonly partition: number;
  readonly key: string | null;
  readonly value: Buffer;
  readonly headers: Record<string, string>;
}

/** A message as it comes from the client. */
export interface Incoming {
  readonly value: Buffer | null;
  readonly headers?: IHeaders | undefined;
}

/** `ce_type` of markers; no event of the log has a type of this context. */
const MARKER = 'bus.PartitionMarked';

/** @param traceparent the span of its publishing, where that is traced. */
export function eventMessage(
  event: StoredEvent,
  prev: Position | null,
  traceparent?: string,
): Outgoing {
  const { data } = event;
  return {
    partition: partitionOf(event.homeid),
    key: event.homeid,
    value: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    headers: {
      ce_specversion: '1.0',
      ce_id: event.id,
      ce_source: `/streams/${event.stream}`,
      ce_type: event.type,
      ce_time: event.time,
      'content-type': 'application/json',
      ce_streamid: event.stream,
      ce_revision: event.revision.toString(),
      ce_position: event.position,
      ce_tenantid: event.tenantid,
      ce_homeid: event.homeid,
      // CloudEvents has no empty attributes.
      ...(event.actorid !== '' && { ce_actorid: event.actorid }),
      ...(event.correlationid !== '' && { ce_correlationid: event.correlationid }),
      ...(event.causationid !== '' && { ce_causationid: event.causationid }),
      ...(event.inputhash !== '' && { ce_inputhash: event.inputhash }),
      ce_commandkey: event.commandkey,
      ce_schemaver: String(event.schemaver),
      ce_epoch: event.epoch,
      ...(prev !== null && { ce_prev: prev }),
      // CloudEvents' extension for distributed tracing, so that integrations can join too.
      ...(traceparent !== undefined && { ce_traceparent: traceparent }),
    },
  };
}

export function markerMessage(
  partition: number,
  marker: { readonly prev: Position | null; readonly head: Position | null },
  of: { readonly epoch: string; readonly headId: string | undefined },
): Outgoing {
  return {
    partition,
    key: null,
    value: Buffer.alloc(0),
    headers: {
      ce_specversion: '1.0',
      // The same again is the same event.
      ce_id: `${partition}/${marker.prev ?? ''}/${marker.head ?? ''}`,
      ce_source: '/bus/relay',
      ce_type: MARKER,
      ce_epoch: of.epoch,
      ...(marker.prev !== null && { ce_prev: marker.prev }),
      ...(marker.head !== null && { ce_head: marker.head }),
      // So that a relay can tell whether the log it has is the one that was published.
      ...(of.headId !== undefined && { ce_headid: of.headId }),
    },
  };
}

/** Bytes a message takes of a batch; up to three times that where its headers are not ASCII. */
export function sizeOf(message: Outgoing): number {
  let size = message.value.length + (message.key?.length ?? 0) + 24;
  for (const name in message.headers)
    size += name.length + (message.headers[name]?.length ?? 0) + 4;
  return size;
}

/** A message that is none of ours, or was damaged; the message says how. */
export class MessageError extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'MessageError';
  }
}

/** Reads a message. Throws a {@link MessageError}. */
export function busMessage({ headers = {}, value }: Incoming): BusMessage {
  const optional = (name: string): string | undefined => {
    const header = headers[name];
    if (header === undefined) return undefined;
    if (Array.isArray(header)) throw new MessageError(`header ${name} is given twice`);
    return header.toString();
  };
  const required = (name: string): string => {
    const text = optional(name);
    if (text === undefined) throw new MessageError(`header ${name} is missing`);
    return text;
  };
  const position = (name: string, text: string | undefined): Position | null => {
    if (text === undefined) return null;
    if (!/^\d{20}$/.test(text)) throw new MessageError(`header ${name} is no position`);
    return text;
  };
  const count = (name: string): string => {
    const text = required(name);
    if (!/^\d{1,20}$/.test(text)) throw new MessageError(`header ${name} is no number`);
    return text;
  };
  const type = required('ce_type');
  const prev = position('ce_prev', optional('ce_prev'));
  if (type === MARKER) {
    return { kind: 'marker', prev, head: position('ce_head', optional('ce_head')) };
  }
  const at = position('ce_position', required('ce_position'));
  if (at === null || value === null) throw new MessageError('it has no body');
  const traceparent = headers['ce_traceparent'];
  return {
    kind: 'event',
    prev,
    // Of whatever form it is: it must not keep an event from being read.
    ...(traceparent !== undefined &&
      !Array.isArray(traceparent) && { traceparent: traceparent.toString() }),
    event: {
      id: required('ce_id'),
      type,
      schemaver: Number(count('ce_schemaver')),
      time: required('ce_time'),
      tenantid: required('ce_tenantid'),
      homeid: required('ce_homeid'),
      actorid: optional('ce_actorid') ?? '',
      correlationid: optional('ce_correlationid') ?? '',
      causationid: optional('ce_causationid') ?? '',
      commandkey: required('ce_commandkey'),
      inputhash: optional('ce_inputhash') ?? '',
      data: value,
      stream: required('ce_streamid'),
      revision: BigInt(count('ce_revision')),
      position: at,
      epoch: required('ce_epoch'),
    },
  };
}

/** The furthest event of the log that a message speaks of; undefined: none, or it is none of ours. */
export function furthestOf(message: Incoming): { position: Position; id: string } | undefined {
  try {
    const read = busMessage(message);
    if (read.kind === 'event') return { position: read.event.position, id: read.event.id };
    const id = message.headers?.['ce_headid'];
    if (read.head === null || id === undefined || Array.isArray(id)) return undefined;
    return { position: read.head, id: id.toString() };
  } catch (error) {
    if (error instanceof MessageError) return undefined;
    throw error;
  }
}

/** The epoch a message names; undefined where it names none. */
export function epochOf({ headers }: Incoming): string | undefined {
  const epoch = headers?.['ce_epoch'];
  return epoch === undefined || Array.isArray(epoch) ? undefined : epoch.toString();
}
