/**
 * The connection to an EventStoreDB: one client at a time, thrown away when it cannot be trusted,
 * and every call under a timer of our own. The client waits for ever in several cases: reads have no
 * deadline, and one that the server has ended silently is never heard of again.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { EventStoreDBClient } from '@eventstore/db-client';
import { EventStoreError } from '../port.ts';
import type { ServerRecord } from './codec.ts';
import { type Failure, judge, SilentServer } from './errors.ts';
import type { Credentials, EventStoreDbUrl } from './url.ts';

/** How long is waited for what, in milliseconds. */
export interface Patience {
  /** For the answer to one attempt to append. */
  readonly append: number;
  /** For the next event of a read, or its end. */
  readonly idle: number;
  /** Attempts at one call. */
  readonly attempts: number;
  /** Before the second attempt; doubled before each further one. */
  readonly pause: number;
}

export const PATIENCE: Patience = { append: 5_000, idle: 5_000, attempts: 5, pause: 50 };

/** The server answered that it cannot read from there. */
export class RefusedRead extends Error {
  constructor(what: string, cause: unknown) {
    super(`${what}: the server refuses to read from there`, { cause });
    this.name = 'RefusedRead';
  }
}

/** As much of a read or a subscription of the client as is used here. */
export interface ServerStream {
  on(event: 'data', listener: (resolved: { event?: ServerRecord }) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** What every call carries. */
export interface CallOptions {
  readonly requiresLeader: true;
  readonly credentials: Credentials;
}

export class Connection {
  readonly #url: EventStoreDbUrl;
  readonly #patience: Patience;
  readonly #clients = new Set<EventStoreDBClient>();
  readonly #closing = new AbortController();
  #client: EventStoreDBClient;

  constructor(url: EventStoreDbUrl, patience: Patience) {
    this.#url = url;
    this.#patience = patience;
    this.#client = this.#connect();
    // Every call under way listens.
    setMaxListeners(0, this.#closing.signal);
  }

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Credentials on each call make the client take the plain `Append` with a deadline. The batched
   * one, which it would take otherwise, waits for ever where the server ends it silently, and fails
   * the appends of every other client of the process with its own. Without TLS they are not sent.
   */
  get options(): CallOptions {
    return {
      requiresLeader: true,
      credentials: this.#url.credentials ?? { username: 'nobody', password: 'nobody' },
    };
  }

  /**
   * Does something with the client until it succeeds, is final or was tried often enough. What it
   * does must be harmless to repeat.
   *
   * @param unknown - whether a failed attempt may have written: then the error at last is
   * `outcome-unknown`, unless every attempt certainly wrote nothing.
   */
  async attempt<T>(
    what: string,
    unknown: boolean,
    work: (client: EventStoreDBClient) => Promise<T>,
  ): Promise<T | 'missing' | 'wrong-version'> {
    let last: Extract<Failure, { kind: 'again' }> | undefined;
    let untouched = true;
    for (let n = 0; n < this.#patience.attempts; n++) {
      if (n > 0) await this.#rest(this.#patience.pause * 2 ** (n - 1));
      if (this.closed.aborted) break;
      const client = this.#client;
      try {
        return await work(client);
      } catch (error) {
        const failure = judge(error);
        if (failure.kind === 'final') throw failure.error;
        if (failure.kind !== 'again') return failure.kind;
        if (failure.refused && !unknown) throw new RefusedRead(what, failure.cause);
        last = failure;
        untouched &&= failure.untouched;
        if (failure.renew) this.renew(client);
      }
    }
    if (this.closed.aborted && untouched)
      throw new EventStoreError('closed', 'the event store is closed');
    const why = last === undefined ? 'the event store is closing' : last.why;
    const code = unknown && !untouched ? 'outcome-unknown' : 'unavailable';
    throw new EventStoreError(
      code,
      `${what}: ${why}. ` +
        (code === 'outcome-unknown'
          ? 'The same append may be sent again'
          : 'Check that the event store at EVENT_STORE_URL runs and can be reached'),
      { cause: last?.cause },
    );
  }

  /**
   * All records of a read that ends by itself; `missing` where there is no such stream.
   *
   * @throws EventStoreError `unavailable`, `deleted`
   */
  async read(
    what: string,
    start: (client: EventStoreDBClient, options: CallOptions) => ServerStream & Cancellable,
  ): Promise<ServerRecord[] | 'missing'> {
    const records = await this.attempt(what, false, (client) =>
      collect(start(client, this.options), this.#patience.idle, this.closed),
    );
    return records === 'wrong-version' ? [] : records;
  }

  /** The client to hold a lasting subscription on. */
  get client(): EventStoreDBClient {
    return this.#client;
  }

  /** Takes a new client, unless the failed one is not the present one any more. */
  renew(failed: EventStoreDBClient): void {
    if (failed !== this.#client || this.closed.aborted) return;
    // Calls under way on the old one are left to end by themselves, or by their timers.
    this.#client = this.#connect();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const disposed = [...this.#clients].map((client) => client.dispose());
    // A stream that never began keeps the client waiting for its end: nothing depends on it.
    await within(1_000, Promise.all(disposed)).catch(() => undefined);
  }

  #connect(): EventStoreDBClient {
    const client = EventStoreDBClient.connectionString(this.#url.url);
    this.#clients.add(client);
    return client;
  }

  async #rest(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.closed }).catch(() => undefined);
  }
}

interface Cancellable {
  cancel(): Promise<void>;
}

/** The records of one read, given up where the server falls silent or the store is closed. */
function collect(
  stream: ServerStream & Cancellable,
  idle: number,
  closed: AbortSignal,
): Promise<ServerRecord[]> {
  return new Promise((resolve, reject) => {
    const records: ServerRecord[] = [];
    let seen = -1;
    const settle = (how: () => void): void => {
      clearInterval(timer);
      closed.removeEventListener('abort', giveUp);
      how();
    };
    const giveUp = (): void => {
      settle(() => reject(new SilentServer(idle)));
      // Nobody waits for it: a stream that never came to be cannot be cancelled either.
      stream.cancel().catch(() => undefined);
    };
    const timer = setInterval(() => {
      if (records.length > seen) seen = records.length;
      else giveUp();
    }, idle);
    closed.addEventListener('abort', giveUp, { once: true });
    stream.on('data', ({ event }) => {
      if (event !== undefined) records.push(event);
    });
    stream.on('error', (error) => settle(() => reject(error)));
    stream.on('end', () => settle(() => resolve(records)));
    if (closed.aborted) giveUp();
  });
}

/** Waits for an answer no longer than this. What comes later is dropped. */
export function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new SilentServer(milliseconds)), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
