/**
 * The event store on an EventStoreDB (or KurrentDB), which several processes share. What the server
 * does otherwise than the port promises is made up for here; the rules:
 *
 * - the exact revision is sent always, with the events' own ids: so the same append may be sent
 *   again at any age, and every attempt that failed without an answer is;
 * - a wrong revision is no verdict yet: what stands there is compared by id, as every adapter does;
 * - no call waits without a timer of ours, and a subscription's end is never taken for the log's.
 */
import type { NewEvent } from '@bivouac/events/language';
import { NO_STREAM } from '@eventstore/db-client';
import { follow } from '../follow.ts';
import {
  type AppendResult,
  type EventStore,
  EventStoreError,
  type ExpectedRevision,
  type LogHead,
  type LogPage,
  type StreamPage,
} from '../port.ts';
import { checkAppend, checkLimit, checkPosition } from '../refusals.ts';
import { compareResent } from '../resend.ts';
import { Ahead } from './ahead.ts';
import { EPOCH_STREAM, NOWHERE, positionOf, toEventData } from './codec.ts';
import { Connection, PATIENCE, type Patience, within } from './connection.ts';
import { epochOf } from './epoch.ts';
import { Homes } from './homes.ts';
import { Reads } from './reads.ts';
import { pause, Tail, type TailLogger } from './tail.ts';
import { parseEventStoreDbUrl } from './url.ts';

/** Options of {@link openEventStoreDb}. */
export interface EventStoreDbOptions {
  /** `esdb://…` or `esdb+discover://…`. */
  readonly url: string;
  /**
   * A folder of this process alone, for what can be made again from the log. Absent: homes are not read, nor the
   * log from where no event stands.
   */
  readonly folder?: string;
  /** The epoch of the log if it has none yet. Absent: a random one. */
  readonly epoch?: string;
  readonly logger?: TailLogger;
  /** How long is waited for what. */
  readonly patience?: Partial<Patience>;
}

const DEFAULT_LIMIT = 1000;
/** Milliseconds before the log is read again for a follower, after the server was away. */
const AWAY = 500;

/**
 * Opens the log on the server that the URL names.
 *
 * @throws EventStoreError `invalid` where the URL cannot be used, `unavailable` where nobody answers
 * or who answers refuses us, or where a copy into it is not complete, `corrupt` where the log there is
 * another program's.
 */
export function openEventStoreDb(options: EventStoreDbOptions): Promise<EventStore> {
  return openNamed(options, (connection, patience) =>
    epochOf(connection, options.epoch ?? crypto.randomUUID(), patience),
  );
}

/**
 * Opens it with the epoch that is found out on the connection.
 *
 * @throws EventStoreError as {@link openEventStoreDb}, and what `name` throws.
 */
export async function openNamed(
  options: EventStoreDbOptions,
  name: (connection: Connection, patience: number) => Promise<string>,
): Promise<EventStore> {
  const url = parseEventStoreDbUrl(options.url);
  if ('problems' in url) throw new EventStoreError('invalid', `url: ${url.problems.join('; ')}`);
  const patience = { ...PATIENCE, ...options.patience };
  const connection = new Connection(url, patience);
  try {
    const epoch = await name(connection, patience.append);
    return new EventStoreDb(connection, epoch, patience, options);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

class EventStoreDb implements EventStore {
  readonly #connection: Connection;
  readonly #epoch: string;
  readonly #patience: Patience;
  readonly #reads: Reads;
  readonly #tail: Tail;
  readonly #homes: Homes;
  readonly #appending = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(
    connection: Connection,
    epoch: string,
    patience: Patience,
    options: EventStoreDbOptions,
  ) {
    this.#connection = connection;
    this.#epoch = epoch;
    this.#patience = patience;
    this.#reads = new Reads(connection, epoch, (n, direction) =>
      this.#homes.neighbour(n, direction),
    );
    this.#homes = new Homes(this.#reads, options.folder, epoch);
    this.#tail = new Tail({
      connection,
      reads: this.#reads,
      epoch,
      logger: options.logger,
      watch: patience.idle,
    });
  }

  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    this.#checkOpen();
    checkAppend(stream, expected, events);
    checkNames(stream, events);
    const appending = this.#append(stream, expected, events);
    this.#appending.add(appending);
    try {
      const result = await appending;
      this.#tail.appended(result.position);
      return result;
    } finally {
      this.#appending.delete(appending);
    }
  }

  async #append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    const data = events.map(toEventData);
    const deadline = this.#patience.append;
    const reply = await this.#connection.attempt(`appending to ${stream}`, true, (client) =>
      within(
        // The server's own deadline comes first: its answer says more than our silence.
        deadline + 500,
        client.appendToStream(stream, data, {
          ...this.#connection.options,
          expectedRevision: expected === 'no-stream' ? NO_STREAM : expected,
          deadline,
        }),
      ),
    );
    if (reply === 'missing' || reply === 'wrong-version') {
      return this.#compare(stream, expected, events);
    }
    const { nextExpectedRevision: revision, position } = reply;
    if (
      position !== undefined &&
      position.commit === position.prepare &&
      position.commit < NOWHERE
    ) {
      const at = { streamId: stream, id: '', type: '', revision, data: undefined, position };
      return { revision, position: positionOf(at) };
    }
    // A server need not say where a repeated append stands.
    return this.#compare(stream, expected, events);
  }

  /** What stands where the append would go decides what it is: a repetition, or a lost race. */
  async #compare(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    const from = expected === 'no-stream' ? 0n : expected + 1n;
    const limit = events.length;
    const page = await this.#reads.stream(stream, { from, direction: 'forwards', limit });
    return page.exists
      ? compareResent(events, page.events, Number(page.head) + 1)
      : compareResent(events, [], 0);
  }

  async readStream(
    stream: string,
    options: Parameters<EventStore['readStream']>[1] = {},
  ): Promise<StreamPage> {
    this.#checkOpen();
    const limit = checkLimit(options.limit, DEFAULT_LIMIT);
    const { from, direction = 'forwards' } = options;
    return this.#open(() => this.#reads.stream(stream, { from, direction, limit }));
  }

  async readAll(options: Parameters<EventStore['readAll']>[0] = {}): Promise<LogPage> {
    this.#checkOpen();
    const limit = checkLimit(options.limit, DEFAULT_LIMIT);
    checkPosition(options.after, 0);
    const { after, direction = 'forwards' } = options;
    const { known } = this.#tail;
    return this.#open(async () => {
      const page = await this.#reads.log(after, direction, limit);
      const last = page.events.at(-1)?.position ?? after ?? '';
      if (direction === 'forwards' && page.end && last < known) throw cutShort(last, known);
      return page;
    });
  }

  async readHome(
    home: string,
    options: Parameters<EventStore['readHome']>[1] = {},
  ): Promise<LogPage> {
    this.#checkOpen();
    const limit = checkLimit(options.limit, DEFAULT_LIMIT);
    const after = checkPosition(options.after, 0);
    const upTo = checkPosition(options.upTo, Number.MAX_SAFE_INTEGER);
    return this.#open(() => this.#homes.page(home, after, upTo, limit));
  }

  subscribe(options: Parameters<EventStore['subscribe']>[0] = {}) {
    this.#tail.start();
    const { signal } = options;
    const ahead = new Ahead((after, limit) =>
      this.readAll(after === undefined ? { limit } : { after, limit }),
    );
    return follow(
      {
        bell: this.#tail.bell,
        recent: (after, limit) => this.#tail.recent(after, limit),
        readAll: ({ after, limit = DEFAULT_LIMIT } = {}) =>
          this.#patiently(signal, { events: [], end: false }, () => ahead.page(after, limit)),
        head: () => this.head(),
        at: (position) => this.#open(() => this.#reads.at(position)),
      },
      options,
    );
  }

  async head(): Promise<LogHead> {
    this.#checkOpen();
    const { events } = await this.#open(() => this.#reads.log(undefined, 'backwards', 1));
    return { epoch: this.#epoch, position: events[0]?.position ?? null };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#tail.end(closed());
    await Promise.allSettled([...this.#appending]);
    await this.#connection.close();
    await this.#tail.ended();
    await this.#homes.close();
  }

  /** A follower outlives a server that is away; who asks once is told. */
  async #patiently<T>(
    signal: AbortSignal | undefined,
    aborted: T,
    read: () => Promise<T>,
  ): Promise<T> {
    for (;;) {
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof EventStoreError) || error.code !== 'unavailable') throw error;
        await pause(AWAY, AbortSignal.any([this.#connection.closed, ...(signal ? [signal] : [])]));
        if (signal?.aborted === true) return aborted;
      }
    }
  }

  /** What fails because the store was closed meanwhile says so. */
  async #open<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#closing !== undefined ? closed() : error;
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closed();
  }
}

/** A read that the server ends in order, as one that goes down may, looks like the end of the log. */
function cutShort(last: string, known: string): EventStoreError {
  return new EventStoreError(
    'unavailable',
    `reading the log ended at ${last || 'its start'}, though it is known to reach ${known}: read again`,
  );
}

function closed(): EventStoreError {
  return new EventStoreError('closed', 'the event store is closed');
}

/** Names that the server or the adapter keeps for itself: such an event would never be delivered. */
function checkNames(stream: string, events: readonly NewEvent[]): void {
  if (stream.startsWith('$') || stream === EPOCH_STREAM) {
    throw new EventStoreError('invalid', `stream ${stream} is a name of the event store's own`);
  }
  for (const [i, { type }] of events.entries()) {
    if (type.startsWith('$')) {
      throw new EventStoreError(
        'invalid',
        `events[${i}].type ${type} is one of the event store's own`,
      );
    }
  }
}
