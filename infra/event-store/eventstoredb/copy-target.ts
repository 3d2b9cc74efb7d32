/**
 * An EventStoreDB that a log is copied to. It is empty at first; from then on it says what is copied to
 * it, and nobody else opens it until the copy is complete.
 */
import { EventStoreError, type EventStore } from '../port.ts';
import { type Connection } from './connection.ts';
import {
  type CopyOrigin,
  type LogNames,
  readNames,
  recordCopied,
  recordCopy,
  recordedEpoch,
} from './epoch.ts';
import { Reads } from './reads.ts';
import { type EventStoreDbOptions, openNamed } from './store.ts';

export type { CopyOrigin } from './epoch.ts';

/** Where a log is copied to, open. */
export interface CopyTarget {
  readonly store: EventStore;
  /** Of the log here; another than the origin's. */
  readonly epoch: string;
  /** It was complete already: nothing may be appended by who copies. */
  readonly complete: boolean;
  /** Says that everything is here: from now on the log can be opened. */
  completed(): Promise<void>;
}

export interface CopyTargetOptions extends Omit<EventStoreDbOptions, 'epoch' | 'logger'> {
  readonly origin: CopyOrigin;
  /** Of the log that it becomes, where no copy has begun. Absent: a random one. */
  readonly epoch?: string;
}

/**
 * Opens it: an empty one, or the same copy begun before.
 *
 * @throws EventStoreError `invalid` where something else is there, or another log's copy, or one of this
 * log as it ended at another time; and as opening any EventStoreDB.
 */
export async function openCopyTarget(options: CopyTargetOptions): Promise<CopyTarget> {
  const { origin, epoch: proposed = crypto.randomUUID(), ...rest } = options;
  let opened: { connection: Connection; patience: number; names: LogNames } | undefined;
  const store = await openNamed(rest, async (connection, patience) => {
    let names = await readNames(connection);
    if (names.copy === undefined && names.epoch === undefined) {
      await checkEmpty(connection);
      // Of several who begin at once one does; whichever it was, the stream says.
      await recordCopy(connection, { epoch: proposed, origin }, patience);
      names = await readNames(connection);
    }
    opened = { connection, patience, names };
    return checkSame(names, origin);
  });
  if (opened === undefined) throw new EventStoreError('unavailable', 'the target was not opened');
  const { connection, patience, names } = opened;
  const epoch = checkSame(names, origin);
  return {
    store,
    epoch,
    complete: names.epoch !== undefined,
    completed: async () => {
      await recordCopied(connection, epoch, patience);
      if ((await recordedEpoch(connection)) !== epoch) {
        throw new EventStoreError('unavailable', 'that the copy is complete could not be recorded');
      }
    },
  };
}

/**
 * Opens the log that is there, and writes nothing where there is none.
 *
 * @throws EventStoreError `unavailable` where no log has begun there; and as opening any EventStoreDB.
 */
export function openExisting(options: Omit<EventStoreDbOptions, 'epoch'>): Promise<EventStore> {
  return openNamed(options, async (connection) => {
    const epoch = await recordedEpoch(connection);
    if (epoch !== undefined) return epoch;
    throw new EventStoreError('unavailable', 'there is no log of Bivouac on that EventStoreDB yet');
  });
}

async function checkEmpty(connection: Connection): Promise<void> {
  const reads = new Reads(connection, '', () => Promise.resolve(undefined));
  const { events } = await reads.log(undefined, 'forwards', 1);
  if (events.length > 0) throw notEmpty('it has events');
}

/** The epoch of the copy, where it is this one. */
function checkSame({ copy, epoch }: LogNames, origin: CopyOrigin): string {
  if (copy === undefined) throw notEmpty(`it has the log of epoch ${epoch ?? 'unknown'}`);
  const { epoch: from, events, last } = copy.origin;
  if (from !== origin.epoch) throw notEmpty(`it has a copy of the log of epoch ${from}`);
  if (events !== origin.events || last !== origin.last) {
    throw new EventStoreError(
      'invalid',
      `the log is not what it was when this copy began: it had ${events} events, the last one ` +
        `${last ?? 'none'}, and has ${origin.events}, the last one ${origin.last ?? 'none'}. It was used ` +
        'since, or restored: stop whatever uses it, and copy it to an empty EventStoreDB',
    );
  }
  return copy.epoch;
}

function notEmpty(what: string): EventStoreError {
  return new EventStoreError(
    'invalid',
    `the target is not empty: ${what}. Nothing was changed there: name an empty EventStoreDB`,
  );
}
