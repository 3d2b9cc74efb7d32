/** Pages of streams and of the log, from the server's reads. */
import { BACKWARDS, END, FORWARDS, START, type ReadPosition } from '@eventstore/db-client';
import {
  formatPosition,
  parsePosition,
  type Position,
  type StoredEvent,
} from '@bivouac/events/language';
import { type Direction, EventStoreError, type LogPage, type StreamPage } from '../port.ts';
import { isHidden, type Place, placeOf, type ServerRecord, toStored } from './codec.ts';
import { type Connection, RefusedRead } from './connection.ts';

/** A record of the log, whoever wrote it, as the place to go on from. */
export interface RawHead {
  readonly place: Place;
  readonly id: string;
}

/**
 * The event next to a place in the log where none stands: the last one before it (forwards), or the
 * first one behind it (backwards). Undefined: there is none.
 */
export type Neighbour = (n: bigint, direction: Direction) => Promise<Position | undefined>;

export class Reads {
  readonly #connection: Connection;
  readonly #epoch: string;
  /** Asked where the server itself does not lead to an event. */
  readonly #neighbour: Neighbour;

  constructor(connection: Connection, epoch: string, neighbour: Neighbour) {
    this.#connection = connection;
    this.#epoch = epoch;
    this.#neighbour = neighbour;
  }

  /**
   * A page of a stream. One more event than asked for is read, to know whether anything follows; the
   * head is asked for only where the page does not show it.
   */
  async stream(
    stream: string,
    options: { readonly from: bigint | undefined; readonly direction: Direction; limit: number },
  ): Promise<StreamPage> {
    const { from, direction, limit } = options;
    if (direction === 'forwards') {
      const records = await this.#stream(stream, from ?? 0n, 'forwards', limit + 1);
      if (records === 'missing') return { exists: false };
      const start = records[0];
      if (start !== undefined && start.revision !== (from ?? 0n)) throw truncated(stream);
      const events = this.#stored(records.slice(0, limit));
      const end = records.length <= limit;
      const last = records.at(-1);
      if (end && last !== undefined) return { exists: true, head: last.revision, events, end };
      const head = await this.streamHead(stream);
      return head === undefined ? { exists: false } : { exists: true, head, events, end };
    }
    const head = await this.streamHead(stream);
    if (head === undefined) return { exists: false };
    const start = from === undefined || from > head ? head : from;
    const records = await this.#stream(stream, start, 'backwards', limit + 1);
    if (records === 'missing') return { exists: false };
    const events = this.#stored(records.slice(0, limit));
    const end = records.length <= limit;
    if (end && start >= 0n && events.at(-1)?.revision !== 0n) throw truncated(stream);
    return { exists: true, head, events, end };
  }

  /** Revision of a stream's last event; undefined: there is no such stream, or it was deleted. */
  async streamHead(stream: string): Promise<bigint | undefined> {
    const records = await this.#stream(stream, 'end', 'backwards', 1);
    if (records === 'missing') return undefined;
    // A stream that is there and has no last event: all of them were taken away.
    if (records[0] === undefined) throw truncated(stream);
    return records[0].revision;
  }

  /**
   * A page of the log without what is hidden. `after` may be any position; the server reads only from
   * where an event stands, so any other is replaced by that of an event next to it.
   */
  async log(after: Position | undefined, direction: Direction, limit: number): Promise<LogPage> {
    if (direction === 'backwards' && after !== undefined && parsePosition(after) === 0n) {
      return { events: [], end: true };
    }
    try {
      return await this.#page(after, direction, limit);
    } catch (error) {
      if (!(error instanceof RefusedRead) || after === undefined) throw error;
      const aligned = await this.#aligned(parsePosition(after), direction);
      return this.#page(aligned, direction, limit);
    }
  }

  /**
   * EventStoreDB reads forwards from a position inclusively and backwards exclusively; here `after`
   * is left out either way.
   */
  async #page(after: Position | undefined, direction: Direction, limit: number): Promise<LogPage> {
    const events: StoredEvent[] = [];
    let skip = after === undefined ? undefined : placeAt(after);
    let least = 0;
    for (;;) {
      // One for the event at the start itself, one to see whether anything follows.
      const ask = Math.max(limit - events.length + 2, least);
      const records = await this.#log(startOf(skip, direction), direction, ask);
      for (const record of records) {
        if ((skip !== undefined && isAt(record, skip)) || isHidden(record)) continue;
        if (events.length === limit) return { events, end: false };
        events.push(toStored(record, this.#epoch));
      }
      const last = records.at(-1);
      if (last === undefined || records.length < ask) return { events, end: true };
      skip = placeOf(last);
      // Where only the server's own events stand, more are taken at a time.
      least = Math.min(ask * 2, 1000);
    }
  }

  /**
   * An event's position from which a read gives what it should from `n`, where none stands. Those who
   * count with positions ask for the one before or behind an event's: the server answers these.
   */
  async #aligned(n: bigint, direction: Direction): Promise<Position | undefined> {
    try {
      if (direction === 'forwards') {
        const [before] = await this.#log(asLogPosition(n + 1n), 'backwards', 1);
        return before === undefined ? undefined : singleOf(before);
      }
      const [, behind] = await this.#log(asLogPosition(n - 1n), 'forwards', 2);
      return behind === undefined ? undefined : singleOf(behind);
    } catch (error) {
      if (!(error instanceof RefusedRead)) throw error;
      return this.#neighbour(n, direction);
    }
  }

  /** The event at exactly this position, if one stands there. */
  at(position: Position): Promise<{ readonly id: string } | undefined> {
    return this.recordAt(placeAt(position));
  }

  /** The record at exactly this place, whoever's it is. */
  async recordAt(place: Place): Promise<{ readonly id: string } | undefined> {
    try {
      const [record] = await this.#log(place, 'forwards', 1);
      return record !== undefined && isAt(record, place) ? record : undefined;
    } catch (error) {
      if (error instanceof RefusedRead) return undefined;
      throw error;
    }
  }

  /** The last event of the log, whoever's it is. */
  async rawHead(): Promise<RawHead | undefined> {
    const [record] = await this.#log(END, 'backwards', 1);
    return record === undefined ? undefined : { place: placeOf(record), id: record.id };
  }

  async #log(from: ReadPosition, direction: Direction, count: number): Promise<ServerRecord[]> {
    const records = await this.#connection.read('reading the log', (client, options) =>
      client.readAll({
        ...options,
        fromPosition: from,
        direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
        maxCount: count,
      }),
    );
    return records === 'missing' ? [] : records;
  }

  #stream(
    stream: string,
    from: bigint | 'end',
    direction: Direction,
    count: number,
  ): Promise<ServerRecord[] | 'missing'> {
    return this.#connection.read(`reading ${stream}`, (client, options) =>
      client.readStream(stream, {
        ...options,
        fromRevision: from === 'end' ? END : from,
        direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
        maxCount: count,
      }),
    );
  }

  #stored(records: readonly ServerRecord[]): StoredEvent[] {
    return records.map((record) => toStored(record, this.#epoch));
  }
}

/** Whoever folded what is left would decide on a state that never was. */
function truncated(stream: string): EventStoreError {
  return new EventStoreError(
    'corrupt',
    `the first events of ${stream} are gone: it was truncated or deleted on the server ($tb, $maxCount, $maxAge). ` +
      'Take the setting away if nothing was scavenged yet; else restore a backup',
  );
}

/** The place of an event of ours; see {@link positionOf}. */
export function asLogPosition(n: bigint): Place {
  return { commit: n, prepare: n };
}

function placeAt(position: Position): Place {
  return asLogPosition(parsePosition(position));
}

function isAt({ position }: ServerRecord, { commit, prepare }: Place): boolean {
  return position?.commit === commit && position.prepare === prepare;
}

/** The commit position of whatever record: a read may begin there, the same events follow. */
function singleOf(record: ServerRecord): Position {
  return formatPosition(placeOf(record).commit);
}

function startOf(after: Place | undefined, direction: Direction): ReadPosition {
  if (after !== undefined && after.commit > 0n) return after;
  return direction === 'forwards' ? START : END;
}
