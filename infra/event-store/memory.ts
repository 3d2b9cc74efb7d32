/**
 * The event store in memory: for tests and for views prepared on the side. The same laws as the
 * others, but nothing survives the process.
 */
import { formatPosition, type NewEvent, type StoredEvent } from '@bivouac/events/language';
import { CommitBell, follow } from './follow.ts';
import {
  type AppendResult,
  type EventStore,
  EventStoreError,
  type ExpectedRevision,
  type LogHead,
  type LogPage,
  type StreamPage,
} from './port.ts';
import { checkAppend, checkLimit, checkPosition } from './refusals.ts';
import { compareResent } from './resend.ts';

/** Options of {@link memoryEventStore}. */
export interface MemoryStoreOptions {
  /** The epoch of the log. Absent: a random one. */
  readonly epoch?: string;
}

/** Events of a page where the caller gives no limit. */
const DEFAULT_LIMIT = 1000;

/** An empty event store in memory. */
export function memoryEventStore(options: MemoryStoreOptions = {}): EventStore {
  return new MemoryEventStore(options.epoch ?? crypto.randomUUID());
}

class MemoryEventStore implements EventStore {
  // Positions count from 1 without gaps, so an event's position is its index in the log plus one.
  readonly bell = new CommitBell(null);
  readonly #epoch: string;
  readonly #log: StoredEvent[] = [];
  readonly #streams = new Map<string, StoredEvent[]>();
  readonly #homes = new Map<string, StoredEvent[]>();

  constructor(epoch: string) {
    this.#epoch = epoch;
  }

  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    this.#checkOpen();
    checkAppend(stream, expected, events);
    const known = this.#streams.get(stream) ?? [];
    const next = expected === 'no-stream' ? 0 : Number(expected) + 1;
    if (next !== known.length) {
      return compareResent(events, known.slice(next, next + events.length), known.length);
    }
    let last: StoredEvent | undefined;
    for (const [i, event] of events.entries()) {
      last = {
        ...pick(event),
        data: new Uint8Array(event.data),
        stream,
        revision: BigInt(next + i),
        position: formatPosition(BigInt(this.#log.length + 1)),
        epoch: this.#epoch,
      };
      this.#log.push(last);
      push(this.#streams, stream, last);
      push(this.#homes, last.homeid, last);
    }
    if (last === undefined) throw new EventStoreError('invalid', 'events is empty');
    this.bell.ring(last.position);
    return { revision: last.revision, position: last.position };
  }

  async readStream(
    stream: string,
    options: Parameters<EventStore['readStream']>[1] = {},
  ): Promise<StreamPage> {
    this.#checkOpen();
    const limit = checkLimit(options.limit, DEFAULT_LIMIT);
    const known = this.#streams.get(stream);
    if (known === undefined) return { exists: false };
    const head = BigInt(known.length - 1);
    if (options.direction === 'backwards') {
      const from = options.from === undefined || options.from > head ? head : options.from;
      const stop = Number(from) + 1;
      const events = known.slice(Math.max(0, stop - limit), stop).reverse();
      return { exists: true, head, events, end: stop <= limit };
    }
    const start = Number(options.from ?? 0n);
    const events = known.slice(start, start + limit);
    return { exists: true, head, events, end: start + limit >= known.length };
  }

  async readAll(options: Parameters<EventStore['readAll']>[0] = {}): Promise<LogPage> {
    this.#checkOpen();
    const limit = checkLimit(options.limit, DEFAULT_LIMIT);
    if (options.direction === 'backwards') {
      const stop = Math.min(
        this.#log.length,
        checkPosition(options.after, this.#log.length + 1) - 1,
      );
      const events = this.#log.slice(Math.max(0, stop - limit), Math.max(0, stop)).reverse();
      return { events, end: stop <= limit };
    }
    const start = checkPosition(options.after, 0);
    const events = this.#log.slice(start, start + limit);
    return { events, end: start + limit >= this.#log.length };
  }

  async readHome(
    home: string,
    options: Parameters<EventStore['readHome']>[1] = {},
  ): Promise<LogPage> {
    this.#checkOpen();
    const limit = checkLimit(options.limit, DEFAULT_LIMIT);
    const after = checkPosition(options.after, 0);
    const upTo = checkPosition(options.upTo, this.#log.length);
    const all = this.#homes.get(home) ?? [];
    const [start, stop] = [countUpTo(all, after), countUpTo(all, upTo)];
    return { events: all.slice(start, Math.min(stop, start + limit)), end: stop - start <= limit };
  }

  subscribe(options: Parameters<EventStore['subscribe']>[0] = {}) {
    return follow(this, options);
  }

  async head(): Promise<LogHead> {
    return { epoch: this.#epoch, position: this.#log.at(-1)?.position ?? null };
  }

  async close(): Promise<void> {
    this.bell.end(new EventStoreError('closed', 'the event store is closed'));
  }

  #checkOpen(): void {
    if (this.bell.ended) throw this.bell.ended;
  }
}

/** Only the envelope's fields: what else a caller's object carries is not part of the event. */
function pick(event: NewEvent): Omit<NewEvent, 'data'> {
  return {
    id: event.id,
    type: event.type,
    schemaver: event.schemaver,
    time: event.time,
    tenantid: event.tenantid,
    homeid: event.homeid,
    actorid: event.actorid,
    correlationid: event.correlationid,
    causationid: event.causationid,
    commandkey: event.commandkey,
    inputhash: event.inputhash,
  };
}

/** How many of a home's events, which stand in the log's order, are at or before a position. */
function countUpTo(events: readonly StoredEvent[], position: number): number {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Number(events[middle]?.position) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function push(map: Map<string, StoredEvent[]>, key: string, event: StoredEvent): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [event]);
  else list.push(event);
}
