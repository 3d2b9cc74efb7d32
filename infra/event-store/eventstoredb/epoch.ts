/**
 * Which log this is: an EventStoreDB has no name for it, so the first process that opens one writes
 * an event that has, and all others read it. It is hidden like the server's own events.
 */
import { NO_STREAM } from '@eventstore/db-client';
import { z } from 'zod';
import { EventStoreError } from '../port.ts';
import { EPOCH_STREAM, encodeMetadata } from './codec.ts';
import { type Connection, within } from './connection.ts';

const EpochRecorded = z.strictObject({ epoch: z.string().min(1).max(128) });

/**
 * The epoch of the log.
 *
 * @param proposed - what it shall be if none is recorded yet
 * @throws EventStoreError `unavailable`, `corrupt`
 */
export async function epochOf(
  connection: Connection,
  proposed: string,
  patience: number,
): Promise<string> {
  const recorded = await readEpoch(connection);
  if (recorded !== undefined) return recorded;
  const id = crypto.randomUUID();
  const event = {
    id,
    contentType: 'application/octet-stream' as const,
    type: 'log.EpochRecorded',
    data: new Uint8Array(Buffer.from(JSON.stringify({ epoch: proposed }))),
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
  // Of several who begin at once one writes; whichever it was, the stream says.
  await connection.attempt('recording the epoch of the log', true, (client) =>
    within(
      patience,
      client.appendToStream(EPOCH_STREAM, event, {
        ...connection.options,
        expectedRevision: NO_STREAM,
        deadline: patience,
      }),
    ),
  );
  const written = await readEpoch(connection);
  if (written !== undefined) return written;
  throw new EventStoreError('unavailable', 'the epoch of the log was written and cannot be read');
}

async function readEpoch(connection: Connection): Promise<string | undefined> {
  const records = await connection.read('reading the epoch of the log', (client, options) =>
    client.readStream(EPOCH_STREAM, { ...options, maxCount: 1 }),
  );
  const record = records === 'missing' ? undefined : records[0];
  if (record === undefined) return undefined;
  try {
    const text = record.data instanceof Uint8Array ? Buffer.from(record.data).toString() : '';
    return EpochRecorded.parse(JSON.parse(text)).epoch;
  } catch (cause) {
    throw new EventStoreError(
      'corrupt',
      `the stream ${EPOCH_STREAM} does not say which log this is: it was written by another program`,
      { cause },
    );
  }
}
