/** The protocol's messages, to and from events of the store. */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb.js';
import { type NewEvent, parsePosition, type StoredEvent } from '@bivouac/events/language';
import { z } from 'zod';
import { encodeMetadata } from '../../event-store/eventstoredb/codec.ts';
import { EventStoreError } from '../../event-store/port.ts';
import type { Node } from './seat.ts';
import type { Disguise } from './faults.ts';
import { systemEvent, Tombstoned, toldOf } from './stream-states.ts';

const Envelope = z.strictObject({
  schemaver: z.string().regex(/^[1-9]\d{0,4}$/),
  time: z.string(),
  tenantid: z.string(),
  homeid: z.string(),
  actorid: z.string(),
  correlationid: z.string(),
  causationid: z.string(),
  commandkey: z.string(),
  inputhash: z.string(),
});

/** As much of a proposed message as is read, of the plain and of the batched append alike. */
export interface Proposed {
  getId(): UUID | undefined;
  getMetadataMap(): { get(key: string): string | undefined };
  getCustomMetadata_asU8(): Uint8Array;
  getData_asU8(): Uint8Array;
}

/** An error that ends a call with a status. */
export class CallError extends Error implements ServiceError {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;

  constructor(code: status, details: string, exception: Readonly<Record<string, string>> = {}) {
    super(details);
    this.code = code;
    this.details = details;
    this.metadata = new Metadata();
    for (const [key, value] of Object.entries(exception)) this.metadata.set(key, value);
  }
}

/** The answer of who does not lead; undefined: nobody does, as while one is elected. */
export function notLeader(leader: Node | undefined): CallError {
  if (leader === undefined)
    return new CallError(status.UNKNOWN, 'No leader info available in response');
  return new CallError(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': leader.host,
    'leader-endpoint-port': String(leader.port),
  });
}

/** What a failure of the store is to the protocol. */
export function callError(error: unknown): CallError {
  if (error instanceof CallError) return error;
  if (error instanceof Tombstoned) {
    return new CallError(status.FAILED_PRECONDITION, error.message, {
      exception: 'stream-deleted',
      'stream-name': /'(.*)'/s.exec(error.message)?.[1] ?? '',
    });
  }
  if (!(error instanceof EventStoreError)) {
    return new CallError(status.INTERNAL, error instanceof Error ? error.message : String(error));
  }
  const { code, message } = error;
  if (code === 'too-large') {
    return new CallError(status.INVALID_ARGUMENT, message, {
      exception: 'maximum-append-size-exceeded',
      'maximum-append-size': '1048576',
    });
  }
  if (code === 'invalid') return new CallError(status.INVALID_ARGUMENT, message);
  if (code === 'corrupt') return new CallError(status.DATA_LOSS, message);
  if (code === 'outcome-unknown') return new CallError(status.ABORTED, message);
  return new CallError(status.UNAVAILABLE, message);
}

/** What the client calls its connection, if it says. */
export function connectionOf({ metadata }: { readonly metadata: Metadata }): string {
  return String(metadata.get('connection-name')[0] ?? '');
}

export function streamName(identifier: StreamIdentifier | undefined): string {
  return Buffer.from(identifier?.getStreamName_asU8() ?? []).toString();
}

/**
 * A proposed event as the store takes it.
 *
 * @throws CallError where it is none of Bivouac's: the store has fields for its envelope and for
 * nothing else.
 */
export function proposedEvent(message: Proposed): NewEvent {
  const map = message.getMetadataMap();
  if (map.get('type') === '$metadata') {
    return systemEvent(uuidText(message.getId()), '$metadata', message.getData_asU8());
  }
  if (map.get('content-type') !== 'application/octet-stream') {
    throw new CallError(
      status.INVALID_ARGUMENT,
      'this development server stores events of content type application/octet-stream alone',
    );
  }
  const { schemaver, ...envelope } = parseEnvelope(message.getCustomMetadata_asU8());
  return {
    id: uuidText(message.getId()),
    type: map.get('type') ?? '',
    schemaver: Number(schemaver),
    ...envelope,
    data: message.getData_asU8(),
  };
}

function parseEnvelope(bytes: Uint8Array): z.output<typeof Envelope> {
  try {
    return Envelope.parse(JSON.parse(Buffer.from(bytes).toString()));
  } catch (error) {
    throw new CallError(
      status.INVALID_ARGUMENT,
      "this development server stores events whose metadata is Bivouac's envelope alone: " +
        (error instanceof Error ? error.message : String(error)),
    );
  }
}

export function uuidText(uuid: UUID | undefined): string {
  const structured = uuid?.getStructured();
  if (structured === undefined) return uuid?.getString() ?? '';
  const bytes = Buffer.alloc(16);
  bytes.writeBigInt64BE(BigInt(structured.getMostSignificantBits()), 0);
  bytes.writeBigInt64BE(BigInt(structured.getLeastSignificantBits()), 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Ticks (100 ns) between the server's epoch and ours do not matter: it counts from ours on the wire. */
const TICKS = 10_000;

/**
 * An event as a read or a subscription answers it.
 *
 * @param placed - whether it says where the event stands
 * @param disguise - how it differs from what was written
 */
export function eventMessage(
  event: StoredEvent,
  { stride, apart }: { readonly stride: bigint; readonly apart: boolean },
  placed: boolean,
  disguise?: Disguise,
): ReadResp {
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent();
  const id = new shared.UUID();
  id.setString(event.id);
  recorded.setId(id);
  const { stream, revision } = toldOf(event);
  const isOwn = stream.startsWith('$$') || event.type === '$streamDeleted';
  recorded.setStreamIdentifier(identifierOf(stream));
  recorded.setStreamRevision(String(revision));
  const prepare = placed ? parsePosition(event.position) * stride : 2n ** 64n - 1n;
  const isServers = event.stream.startsWith('$') || event.type.startsWith('$');
  let commit = placed && apart && isServers ? prepare + stride / 2n : prepare;
  if (disguise === 'of a transaction') commit += 1n;
  recorded.setCommitPosition(String(commit));
  recorded.setPreparePosition(String(prepare));
  const map = recorded.getMetadataMap();
  map.set('type', event.type);
  const isJson = isOwn || disguise === 'json';
  map.set('content-type', isJson ? 'application/json' : 'application/octet-stream');
  map.set('created', String(BigInt(Date.parse(event.time)) * BigInt(TICKS)));
  if (!isOwn) recorded.setCustomMetadata(metadataOf(event, disguise));
  // The store's bodies may be views of a page, and the encoder takes no Buffer.
  recorded.setData(new Uint8Array(event.data));
  const read = new streams.ReadResp.ReadEvent();
  read.setEvent(recorded);
  if (placed) read.setCommitPosition(String(commit));
  else read.setNoPosition(new shared.Empty());
  const response = new streams.ReadResp();
  response.setEvent(read);
  return response;
}

function metadataOf(event: StoredEvent, disguise: Disguise | undefined): Uint8Array {
  if (disguise === 'without metadata') return new Uint8Array();
  if (disguise === 'metadata of no JSON') return new Uint8Array(Buffer.from('<envelope/>'));
  if (disguise === 'metadata of another schema') {
    return new Uint8Array(Buffer.from(JSON.stringify({ $correlationId: event.correlationid })));
  }
  if (disguise !== 'schemaver of no number') return encodeMetadata(event);
  const text = Buffer.from(encodeMetadata(event)).toString();
  return new Uint8Array(Buffer.from(text.replace(/"schemaver":"\d+"/, '"schemaver":"v1"')));
}

export function identifierOf(stream: string): StreamIdentifier {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(new Uint8Array(Buffer.from(stream)));
  return identifier;
}
