/**
 * The log's recent end in memory: what this process has appended, once the writer has made it
 * durable. Followers that are level take it from here; nothing is read back to be told of.
 *
 * Laws kept: only what is committed and chained gets in, in log order without a gap, so that a
 * follower sees here exactly what a read of the same positions would give. Everything that does come
 * from the disk is verified as ever.
 */
import type { NewEvent, StoredEvent } from '@bivouac/events/language';
import { positionOf } from './decode.ts';

/** An append that has become part of the log. */
export interface Committed {
  readonly stream: string;
  /** Revision and position of its first event. */
  readonly revision: number;
  readonly position: number;
  /** Their bodies belong to the log alone: nobody changes them. */
  readonly events: readonly NewEvent[];
}

/** Events kept at least, once that many have come; dropped in strides as long. */
const KEPT = 1024;
/** Bytes of bodies beyond which all but the last stride's worth is dropped earlier. */
const KEPT_BYTES = 4 * 1024 * 1024;

export class RecentEvents {
  readonly #epoch: string;
  #events: StoredEvent[] = [];
  #bytes = 0;
  /** Position of the last event; where there are none, of the last before those to come. */
  #last: number;

  /** @param head position the log ends at. */
  constructor(epoch: string, head: number) {
    this.#epoch = epoch;
    this.#last = head;
  }

  /** Adds an append. What does not follow the last one begins anew: no gap is ever bridged. */
  add({ stream, revision, position, events }: Committed): void {
    if (position !== this.#last + 1) this.#forget(position - 1);
    for (const [i, event] of events.entries()) {
      this.#last += 1;
      this.#bytes += event.data.length;
      this.#events.push({
        stream,
        revision: BigInt(revision + i),
        position: positionOf(this.#last),
        epoch: this.#epoch,
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
        data: event.data,
      });
    }
    if (this.#events.length > 2 * KEPT) this.#drop(this.#events.length - KEPT);
    if (this.#bytes > KEPT_BYTES) this.#drop(Math.ceil(this.#events.length / 2));
  }

  /**
   * The events after a position up to the head, at most `limit`; none where they are not all kept:
   * then they are to be read.
   *
   * @param head position the log ends at.
   */
  after(position: number, head: number, limit: number): readonly StoredEvent[] {
    const start = position - (this.#last - this.#events.length);
    if (start < 0 || this.#last !== head) return [];
    return this.#events.slice(start, start + limit);
  }

  #drop(count: number): void {
    for (const { data } of this.#events.splice(0, count)) this.#bytes -= data.length;
  }

  #forget(last: number): void {
    this.#events = [];
    this.#bytes = 0;
    this.#last = last;
  }
}
