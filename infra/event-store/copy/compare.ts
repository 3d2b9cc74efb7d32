/** Whether one log begins with exactly the events of another: every field and byte, in order. */
import { createHash, type Hash } from 'node:crypto';
import type { Position, StoredEvent } from '@bivouac/events/language';
import type { EventStore, LogPage } from '../port.ts';

/** The first place where two logs are not the same. */
export interface Difference {
  /** Number of the event in the log, from 1. */
  readonly event: number;
  /** What differs, as a clause. */
  readonly what: string;
}

export interface LogComparison {
  /** Events that were compared and are the same. */
  readonly equal: number;
  /** SHA-256 over what each log has of the events compared; the same exactly if the logs are. */
  readonly digests: { readonly source: string; readonly target: string };
  readonly difference: Difference | undefined;
  /** Where the last event that is the same stands in the target. */
  readonly lastAt: Position | undefined;
  /** The target's events behind those of the source. */
  readonly more: readonly StoredEvent[];
}

/** What an event is, wherever it is kept: position and epoch are the log's. */
const FIELDS = [
  'stream',
  'revision',
  'id',
  'type',
  'schemaver',
  'time',
  'tenantid',
  'homeid',
  'actorid',
  'correlationid',
  'causationid',
  'commandkey',
  'inputhash',
] as const;

/** Of what follows in the target, as much is told as a copy itself writes. */
const MOST_MORE = 100;
const PAGE = 1000;

/**
 * Compares them in one pass over both, up to the first difference.
 *
 * @throws EventStoreError what reading throws.
 */
export async function compareLogs(
  source: Iterable<StoredEvent>,
  target: Pick<EventStore, 'readAll'>,
): Promise<LogComparison> {
  const hashes = { source: createHash('sha256'), target: createHash('sha256') };
  const theirs = eventsOf(target);
  let equal = 0;
  let lastAt: Position | undefined;
  let difference: Difference | undefined;
  for (const event of source) {
    const next = await theirs.next();
    const other = next.done === true ? undefined : next.value;
    add(hashes.source, event);
    if (other !== undefined) add(hashes.target, other);
    const what = other === undefined ? `it is missing: ${named(event)}` : differs(event, other);
    if (what !== undefined) {
      difference = { event: equal + 1, what };
      break;
    }
    equal += 1;
    lastAt = other?.position;
  }
  const more: StoredEvent[] = [];
  if (difference === undefined) {
    for await (const event of theirs) if (more.push(event) >= MOST_MORE) break;
  }
  const digests = { source: hashes.source.digest('hex'), target: hashes.target.digest('hex') };
  return { equal, digests, difference, lastAt, more };
}

/** The log's events, page by page, the next page on its way meanwhile. */
async function* eventsOf(
  log: Pick<EventStore, 'readAll'>,
): AsyncGenerator<StoredEvent, void, undefined> {
  let page: Promise<LogPage> = log.readAll({ limit: PAGE });
  for (;;) {
    const { events, end } = await page;
    const after = events.at(-1)?.position;
    if (!end && after !== undefined) {
      page = log.readAll({ after, limit: PAGE });
      // Its failure is of interest when it is its turn.
      page.catch(() => undefined);
    }
    yield* events;
    if (end || after === undefined) return;
  }
}

function add(hash: Hash, event: StoredEvent): void {
  const envelope = FIELDS.map((field) => String(event[field]));
  hash.update(JSON.stringify([...envelope, event.data.length]));
  hash.update(event.data);
}

/** The first field in which two events differ, as a clause. */
function differs(event: StoredEvent, other: StoredEvent): string | undefined {
  if (event.stream !== other.stream || event.revision !== other.revision) {
    return `${named(other)} stands where ${named(event)} must`;
  }
  const field = FIELDS.find((each) => event[each] !== other[each]);
  if (field !== undefined) {
    return `${field} of ${named(event)} is ${JSON.stringify(String(other[field]))} and must be ${JSON.stringify(String(event[field]))}`;
  }
  return Buffer.compare(event.data, other.data) === 0
    ? undefined
    : `the body of ${named(event)} has other bytes`;
}

function named({ stream, revision, id }: StoredEvent): string {
  return `revision ${revision} of ${stream} (${id})`;
}
