/**
 * Appends a log's events to another one that begins with them, behind those that are there already.
 *
 * One append goes out when the one before is acknowledged: only so is the order of the log certain, for
 * appends to different streams are taken in any order, and what was appended cannot be taken back. What
 * comes next is read and checked while it is on its way.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { StoredEvent } from '@bivouac/events/language';
import { type EventStore, EventStoreError } from '../port.ts';
import { runsOf } from './runs.ts';

export interface CopyOptions {
  /** The log that is copied: as often as it is asked for, the same events in order. */
  readonly source: () => Iterable<StoredEvent>;
  readonly target: Pick<EventStore, 'append' | 'readAll'>;
  /** Ids of what the copy itself puts behind the source's events. */
  readonly own: ReadonlySet<string>;
  readonly persistence?: Partial<Persistence>;
  /** Called now and then with how many of the source's events are in the target. */
  readonly progress?: (copied: number) => void;
}

/** How long a target that is away is waited for. */
export interface Persistence {
  /** Attempts at one append; each of them is several of the adapter. */
  readonly attempts: number;
  /** Milliseconds between two. */
  readonly pause: number;
}

const PERSISTENCE: Persistence = { attempts: 30, pause: 1000 };
/** Events between two reports. */
const REPORT_EACH = 10_000;

export interface Copied {
  /** Events that were there already. */
  readonly before: number;
  /** Events appended now. */
  readonly appended: number;
  /** Appends that they took. */
  readonly appends: number;
}

/**
 * Copies what is missing. Safe to be cut off anywhere, to be begun again, and to run twice at once.
 *
 * @throws EventStoreError `invalid` where the target has events that the source has not, or others
 * write to it; `unavailable` and `outcome-unknown` where it stays away: begin again.
 */
export async function copyEvents(options: CopyOptions): Promise<Copied> {
  const { source, target, own, progress } = options;
  const persistence = { ...PERSISTENCE, ...options.persistence };
  const last = await lastCopied(target, own, persistence);
  const rest = source()[Symbol.iterator]();
  const before = last === undefined ? 0 : passOver(rest, last);
  let appended = 0;
  let appends = 0;
  const runs = runsOf(untilEnd(rest));
  for (let next = runs.next(); next.done !== true;) {
    const run = next.value;
    const sending = appendRun(target, run, persistence);
    next = await readAhead(runs, sending);
    appends += 1;
    const reports = Math.floor((before + appended) / REPORT_EACH);
    appended += run.length;
    if (Math.floor((before + appended) / REPORT_EACH) > reports) progress?.(before + appended);
  }
  return { before, appended, appends };
}

/**
 * Appends events of one stream where they stood in the source.
 *
 * @throws EventStoreError as {@link copyEvents}
 */
export async function appendRun(
  target: Pick<EventStore, 'append'>,
  run: readonly Omit<StoredEvent, 'position' | 'epoch'>[],
  persistence: Partial<Persistence> = {},
): Promise<void> {
  const [first] = run;
  if (first === undefined) return;
  const { stream, revision } = first;
  try {
    await persist({ ...PERSISTENCE, ...persistence }, () =>
      target.append(stream, revision === 0n ? 'no-stream' : revision - 1n, run),
    );
  } catch (error) {
    if (!(error instanceof EventStoreError) || error.code !== 'conflict') throw error;
    throw new EventStoreError(
      'invalid',
      `revision ${revision} of ${stream} cannot be appended to the target: it is at ` +
        `${String(error.actual)} there. Somebody else writes to it: stop them, and copy to an empty one`,
      { cause: error },
    );
  }
}

/** The next of an iteration, read while something is on its way, when that has arrived. */
async function readAhead<T>(
  iterator: Iterator<T>,
  sending: Promise<void>,
): Promise<IteratorResult<T>> {
  // Its failure is told below; until then nobody waits for it.
  sending.catch(() => undefined);
  // Reading holds the process up: what is sent leaves it before.
  await new Promise(setImmediate);
  try {
    return iterator.next();
  } finally {
    await sending;
  }
}

/** Tries again where the target is away: the same append and the same read may be repeated. */
async function persist<T>({ attempts, pause }: Persistence, work: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await work();
    } catch (error) {
      const away =
        error instanceof EventStoreError &&
        (error.code === 'unavailable' || error.code === 'outcome-unknown');
      if (!away || n >= attempts) throw error;
      await delay(pause);
    }
  }
}

/** The last event in the target that is the source's. */
async function lastCopied(
  target: Pick<EventStore, 'readAll'>,
  own: ReadonlySet<string>,
  persistence: Persistence,
): Promise<StoredEvent | undefined> {
  const limit = own.size + 1;
  const page = await persist(persistence, () => target.readAll({ direction: 'backwards', limit }));
  return page.events.find(({ id }) => !own.has(id));
}

/** Takes the source's events up to and with this one; answers how many. */
function passOver(source: Iterator<StoredEvent>, last: StoredEvent): number {
  for (let n = 1; ; n++) {
    const next = source.next();
    if (next.done === true) break;
    const { stream, revision, id } = next.value;
    if (stream === last.stream && revision === last.revision && id === last.id) return n;
  }
  throw new EventStoreError(
    'invalid',
    `the target has revision ${last.revision} of ${last.stream} (${last.id}), which the log that is copied ` +
      'has not: somebody else has written to it. Copy to an empty EventStoreDB',
  );
}

/** The rest of an iteration that has begun. */
function* untilEnd<T>(iterator: Iterator<T>): Generator<T, void, undefined> {
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) yield next.value;
}
