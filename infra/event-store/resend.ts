/**
 * The answer to an append whose expected revision lies behind the stream's head: a re-send of what
 * is there already, or a conflict. Ids protect exactly this, the identical append sent again.
 */
import type { NewEvent, StoredEvent } from '@bivouac/events/language';
import { type AppendResult, EventStoreError } from './port.ts';

/** The error of a lost race: the stream's head is another than expected. */
export function conflict(actual: bigint | 'no-stream'): EventStoreError {
  return new EventStoreError(
    'conflict',
    actual === 'no-stream'
      ? 'the stream does not exist: read it again and decide again'
      : `the stream is at revision ${actual}: read it again and decide again`,
    { actual },
  );
}

/** The error of an append that shares some events with an earlier one and not others. */
export function overlap(): EventStoreError {
  return new EventStoreError(
    'invalid',
    'events[].id: some events of this append are in the stream at these revisions and others are ' +
      'not: a re-send must repeat the first append exactly',
  );
}

/**
 * Compares an append with the events that stand where it would go.
 *
 * @param there - the events at the revisions after the expected one, as many as exist
 * @param length - the number of events in the stream
 */
export function compareResent(
  sent: readonly NewEvent[],
  there: readonly StoredEvent[],
  length: number,
): AppendResult {
  const same = sent.filter((event, i) => there[i]?.id === event.id).length;
  const last = there.at(-1);
  if (same === sent.length && last !== undefined) {
    return { revision: last.revision, position: last.position };
  }
  if (same > 0) throw overlap();
  throw conflict(length === 0 ? 'no-stream' : BigInt(length - 1));
}
