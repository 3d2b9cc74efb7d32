/**
 * Which log this is: an EventStoreDB has no name for it, so the first process that opens one writes
 * an event that has, and all others read it. It is hidden like the server's own events.
 *
 * A log that is copied here says so in the same stream first, and gets its epoch when the copy is
 * complete: nobody opens half of one, and of two who begin at once the server lets one do so.
 */
import { NO_STREAM } from '@eventstore/db-client';
import { z } from 'zod';
import { EventStoreError, type ExpectedRevision } from '../port.ts';
import { EPOCH_STREAM, encodeMetadata, type ServerRecord } from './codec.ts';
import { type Connection, within } from './connection.ts';

const EPOCH_RECORDED = 'log.EpochRecorded';
const COPY_BEGUN = 'log.CopyBegun';

const EpochSchema = z.string().min(1).max(128);
const EpochRecorded = z.strictObject({ epoch: EpochSchema });

/** The log that is copied, as it ended when the copy began. */
const CopyOriginSchema = z.strictObject({
  epoch: EpochSchema,
  /** How many events it has. */
  events: z.int().min(0),
  /** Id of the last one; null where there is none. */
  last: z.uuid().nullable(),
});
export type CopyOrigin = z.output<typeof CopyOriginSchema>;

/** A copy has begun: what is copied, and the epoch that the log here will have. */
const CopyBegun = z.strictObject({ epoch: EpochSchema, origin: CopyOriginSchema });

/** What the stream says of the log. */
export interface LogNames {
  /** Its epoch; undefined: it has none yet. */
  readonly epoch: string | undefined;
  /** The copy that it is, or is to become. */
  readonly copy: z.output<typeof CopyBegun> | undefined;
}

/**
 * The epoch of the log.
 *
 * @param proposed - what it shall be if none is recorded yet
 * @throws EventStoreError `unavailable`, also where a copy into it is not complete; `corrupt`
 */
export async function epochOf(
  connection: Connection,
  proposed: string,
  patience: number,
): Promise<string> {
  const recorded = await recordedEpoch(connection);
  if (recorded !== undefined) return recorded;
  // Of several who begin at once one writes; whichever it was, the stream says.
  await record(connection, 'no-stream', EPOCH_RECORDED, { epoch: proposed }, patience);
  const written = await recordedEpoch(connection);
  if (written !== undefined) return written;
  throw new EventStoreError('unavailable', 'the epoch of the log was written and cannot be read');
}

/** The epoch where one is recorded. Writes nothing. */
export async function recordedEpoch(connection: Connection): Promise<string | undefined> {
  const { epoch, copy } = await readNames(connection);
  if (epoch === undefined && copy !== undefined) {
    throw new EventStoreError(
      'unavailable',
      `only a part of the log of epoch ${copy.origin.epoch} has been copied here: give the command that ` +
        'copies it again (bivouac log copy), it goes on where it stopped',
    );
  }
  return epoch;
}

/** What the stream says of the log. */
export async function readNames(connection: Connection): Promise<LogNames> {
  const records = await connection.read('reading the epoch of the log', (client, options) =>
    client.readStream(EPOCH_STREAM, { ...options, maxCount: 2 }),
  );
  if (records === 'missing') return { epoch: undefined, copy: undefined };
  const [first, second] = records;
  try {
    const copy = first?.type === COPY_BEGUN ? CopyBegun.parse(bodyOf(first)) : undefined;
    const named = copy === undefined ? first : second;
    const epoch = named && EpochRecorded.parse(bodyOf(named)).epoch;
    return { epoch, copy };
  } catch (cause) {
    throw new EventStoreError(
      'corrupt',
      `the stream ${EPOCH_STREAM} does not say which log this is: it was written by another program`,
      { cause },
    );
  }
}

/** Says that a copy begins, unless the stream says something already. */
export function recordCopy(
  connection: Connection,
  copy: z.output<typeof CopyBegun>,
  patience: number,
): Promise<void> {
  return record(connection, 'no-stream', COPY_BEGUN, copy, patience);
}

/** Says that a copy is complete: from now on the log can be opened. */
export function recordCopied(
  connection: Connection,
  epoch: string,
  patience: number,
): Promise<void> {
  return record(connection, 0n, EPOCH_RECORDED, { epoch }, patience);
}

/** Appends to the stream where it is at that revision; where it is not, it stays as it is. */
async function record(
  connection: Connection,
  expected: ExpectedRevision,
  type: string,
  body: object,
  patience: number,
): Promise<void> {
  const id = crypto.randomUUID();
  const event = {
    id,
    contentType: 'application/octet-stream' as const,
    type,
    data: new Uint8Array(Buffer.from(JSON.stringify(body))),
    metadata: encodeMetadata({
      schemaver: 1,
      time: new Date().toISOString(),
      tenantid: EPOCH_STREAM,
      homeid: EPOCH_STREAM,
      actorid: '',
      correlationid: '',
      causationid: '',
      commandkey: id,
      inputhash: '',
    }),
  };
  await connection.attempt('recording the epoch of the log', true, (client) =>
    within(
      patience,
      client.appendToStream(EPOCH_STREAM, event, {
        ...connection.options,
        expectedRevision: expected === 'no-stream' ? NO_STREAM : expected,
        deadline: patience,
      }),
    ),
  );
}

function bodyOf({ data }: ServerRecord): unknown {
  return JSON.parse(data instanceof Uint8Array ? Buffer.from(data).toString() : '');
}
