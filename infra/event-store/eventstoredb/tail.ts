/**
 * The end of the log as it grows: one subscription per process, however many follow (a connection
 * with more than a hundred of them goes dead without a word). It only rings the bell and keeps what
 * came last at hand; whoever follows goes through the log page by page. So how a subscription ends, or
 * that it falls silent without ending, decides when a follower looks and never what it sees.
 */
import type { EventStoreDBClient } from '@eventstore/db-client';
import {
  formatPosition,
  parsePosition,
  type Position,
  type StoredEvent,
} from '@bivouac/events/language';
import { CommitBell } from '../follow.ts';
import { EventStoreError, type LogPage } from '../port.ts';
import { isBehind, isHidden, placeOf, type ServerRecord, toStored } from './codec.ts';
import type { Connection } from './connection.ts';
import { judge } from './errors.ts';
import type { RawHead, Reads } from './reads.ts';

/** What is said of a subscription that had to be made anew. */
export interface TailLogger {
  warn(fields: object, message: string): void;
}

export interface TailOptions {
  readonly connection: Connection;
  readonly reads: Reads;
  readonly epoch: string;
  readonly logger: TailLogger | undefined;
  /** Milliseconds of silence after which the log is looked at. */
  readonly watch: number;
}

/** Events kept at hand for those who are level. */
const KEPT = 2_000;
/** And their bytes. */
const KEPT_BYTES = 8 * 1024 * 1024;

export class Tail {
  readonly bell = new CommitBell(null);
  readonly #options: TailOptions;
  /** Every event after this one, up to the last, is in {@link #events}. */
  #since: Position | undefined;
  #events: StoredEvent[] = [];
  #bytes = 0;
  /** The last record that came, the server's own included. */
  #last: RawHead | undefined;
  /** The furthest position this process knows to be written. */
  #known: Position = '';
  #ringing = false;
  #running: Promise<void> | undefined;
  #heard = 0;

  constructor(options: TailOptions) {
    this.#options = options;
  }

  /** Subscribes, the first time. Returns at once: who follows reads pages meanwhile. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** The furthest position this process knows to be written; empty: none. */
  get known(): Position {
    return this.#known;
  }

  /** This process has appended up to here. */
  appended(position: Position): void {
    if (position > this.#known) this.#known = position;
  }

  /** What follows a position, where it is at hand. */
  recent(after: Position | null, limit: number): LogPage | undefined {
    if (this.#since === undefined || after === null || after < this.#since) return undefined;
    const last = this.#events.at(-1);
    if (last === undefined || last.position <= after) return undefined;
    let start = this.#events.length;
    while (start > 0 && (this.#events[start - 1]?.position ?? '') > after) start -= 1;
    const events = this.#events.slice(start, start + limit);
    const end = start + limit >= this.#events.length && last.position >= this.#known;
    return { events, end };
  }

  /** Followers end with this error. */
  end(error: EventStoreError): void {
    this.bell.end(error);
  }

  /** Resolves when nothing is subscribed to any more; the connection must be closed before. */
  async ended(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const { connection, logger } = this.#options;
    for (let failures = 0; !connection.closed.aborted && this.bell.ended === undefined;) {
      const heard = this.#heard;
      try {
        await this.#begin();
        if (connection.closed.aborted) return;
        const why = await this.#subscribed();
        if (connection.closed.aborted) return;
        logger?.warn({ why }, 'the subscription to the log has ended: subscribing again');
      } catch (error) {
        if (connection.closed.aborted) return;
        if (error instanceof EventStoreError && error.code !== 'unavailable') {
          this.bell.end(error);
          return;
        }
        logger?.warn({ err: error }, 'the log cannot be subscribed to: trying again');
      }
      failures = this.#heard > heard ? 0 : failures + 1;
      await pause(Math.min(50 * 2 ** failures, 2_000), connection.closed);
    }
  }

  /** Where to subscribe from: the end of the log, later where the subscription ended before. */
  async #begin(): Promise<void> {
    const { reads } = this.#options;
    if (this.#last === undefined) {
      this.#last = await reads.rawHead();
      this.#since = this.#last && formatPosition(this.#last.place.commit);
      // Whoever read its last page before this moment is told what the subscription will not say.
      const { events } = await reads.log(undefined, 'backwards', 1);
      const head = events[0]?.position;
      if (head !== undefined) this.bell.ring(head);
      return;
    }
    const there = await reads.recordAt(this.#last.place);
    if (there?.id === this.#last.id) return;
    throw new EventStoreError(
      'checkpoint-mismatch',
      `the event ${this.#last.id} at ${this.#last.place.commit} is not in the log any more: the event ` +
        'store was replaced by another, or by an older backup. Restart; what was built from it must be rebuilt',
    );
  }

  /** One subscription, until it ends; answers why it did. It never ends well by itself. */
  #subscribed(): Promise<string> {
    const { connection, watch } = this.#options;
    const client = connection.client;
    const subscription = client.subscribeToAll({
      ...connection.options,
      ...(this.#last !== undefined && {
        fromPosition: this.#last.place,
      }),
    });
    return new Promise((resolve, reject) => {
      let before = this.#heard;
      let looking = false;
      const settle = (how: () => void): void => {
        clearInterval(timer);
        connection.closed.removeEventListener('abort', onClose);
        subscription.unsubscribe().catch(() => undefined);
        how();
      };
      const look = (): void => {
        if (this.#heard > before) before = this.#heard;
        else if (!looking) {
          looking = true;
          this.#look(client)
            .then((deaf) => {
              if (deaf) settle(() => resolve('it is silent though the log has grown'));
            })
            // A server that cannot be read either: the subscription's own end will tell, or the next look.
            .catch(() => undefined)
            .finally(() => (looking = false));
        }
      };
      const timer = setInterval(look, watch);
      timer.unref();
      const onClose = (): void => settle(() => resolve('the store is closed'));
      connection.closed.addEventListener('abort', onClose, { once: true });
      subscription.on('data', ({ event }) => {
        if (event === undefined) return;
        try {
          this.#receive(event);
        } catch (error) {
          settle(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      });
      subscription.on('error', (error) => {
        const failure = judge(error);
        if (failure.kind === 'again' && failure.renew) connection.renew(client);
        if (failure.kind === 'final') settle(() => reject(failure.error));
        else settle(() => resolve(error.message));
      });
      subscription.on('end', () => settle(() => resolve('the server ended it')));
    });
  }

  #receive(record: ServerRecord): void {
    const place = placeOf(record);
    // A server that begins anew somewhere before is not listened to twice.
    if (this.#last !== undefined && !isBehind(place, this.#last.place)) return;
    this.#heard += 1;
    this.#last = { place, id: record.id };
    if (isHidden(record)) return;
    const event = toStored(record, this.#options.epoch);
    this.#events.push(event);
    this.#bytes += event.data.length;
    if (this.#events.length > 2 * KEPT || this.#bytes > 2 * KEPT_BYTES) this.#forget();
    if (event.position > this.#known) this.#known = event.position;
    if (this.#ringing) return;
    // Once for all that come at once.
    this.#ringing = true;
    setImmediate(() => {
      this.#ringing = false;
      const last = this.#events.at(-1);
      if (last !== undefined) this.bell.ring(last.position);
    });
  }

  /** Drops the older half. */
  #forget(): void {
    let drop = this.#events.length - KEPT;
    if (drop < 1) drop = this.#events.length >> 1;
    for (const event of this.#events.splice(0, drop)) {
      this.#bytes -= event.data.length;
      this.#since = event.position;
    }
  }

  /** Whether the log has what the subscription does not say. Then those who wait are told. */
  async #look(client: EventStoreDBClient): Promise<boolean> {
    const { reads, connection } = this.#options;
    const { events } = await reads.log(undefined, 'backwards', 1);
    const head = events[0]?.position;
    if (head === undefined || parsePosition(head) <= (this.#last?.place.commit ?? -1n))
      return false;
    connection.renew(client);
    this.bell.ring(head);
    return true;
  }
}

/** Waits, or until the signal. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    timer.unref();
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
