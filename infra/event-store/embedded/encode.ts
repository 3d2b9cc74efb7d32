/**
 * From events to frames on the main thread: appends of one turn are laid end to end in one buffer,
 * which goes to the writer as it is. The writer adds position, chain and sum.
 */
import type { NewEvent } from '@bivouac/events/language';
import type { ExpectedRevision } from '../port.ts';
import { HEADER, OVERHEAD } from './frame.js';
import type { AppendMessage } from './messages.ts';

/** Starts large enough for what one turn usually appends. */
const INITIAL = 256 * 1024;
/** A buffer that one huge turn made larger is not kept. */
const KEPT = 4 * 1024 * 1024;

/** Collects the appends of one turn. */
export class AppendBatch {
  #bytes = Buffer.allocUnsafeSlow(INITIAL);
  #used = 0;
  #streams: string[] = [];
  #homes: string[] = [];
  #expected: number[] = [];
  #counts: number[] = [];

  get size(): number {
    return this.#streams.length;
  }

  /** Adds an append that has passed `checkAppend`. */
  add(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): void {
    const before = expected === 'no-stream' ? -1 : Number(expected);
    let revision = before;
    for (const event of events) {
      revision += 1;
      this.#frame(stream, revision, event);
    }
    this.#streams.push(stream);
    this.#homes.push(events[0]?.homeid ?? '');
    this.#expected.push(before);
    this.#counts.push(events.length);
  }

  /** The message of all that was added, and an empty batch. */
  take(): AppendMessage {
    const message: AppendMessage = {
      kind: 'append',
      streams: this.#streams,
      homes: this.#homes,
      expected: this.#expected,
      counts: this.#counts,
      frames: this.#bytes.buffer.slice(0, this.#used),
    };
    if (this.#bytes.length > KEPT) this.#bytes = Buffer.allocUnsafeSlow(INITIAL);
    this.#used = 0;
    this.#streams = [];
    this.#homes = [];
    this.#expected = [];
    this.#counts = [];
    return message;
  }

  #frame(stream: string, revision: number, event: NewEvent): void {
    const text =
      `${stream}\0${event.id}\0${event.type}\0${event.time}\0${event.tenantid}\0${event.homeid}\0` +
      `${event.actorid}\0${event.correlationid}\0${event.causationid}\0${event.commandkey}\0` +
      event.inputhash;
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    this.#reserve(OVERHEAD + 3 * text.length + event.data.length);
    const bytes = this.#bytes;
    const start = this.#used;
    const written = bytes.write(text, start + HEADER, 'utf8');
    const body = start + HEADER + written;
    bytes.set(event.data, body);
    const length = OVERHEAD + written + event.data.length;
    bytes.writeUInt32LE(length, start);
    bytes.writeUIntLE(revision, start + 14, 6);
    bytes.writeUInt16LE(written, start + 20);
    bytes.writeUInt16LE(event.schemaver, start + 22);
    this.#used = start + length;
  }

  #reserve(length: number): void {
    const needed = this.#used + length;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}
