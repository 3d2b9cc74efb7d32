/** One partition while it is this consumer's: what waits to be delivered, in order, bounded. */
import type { BusMessage, Mark } from '../port.ts';
import { Offsets } from './offsets.ts';

interface Waiting {
  readonly message: BusMessage;
  readonly bytes: number;
  readonly offset: bigint;
  readonly course: number;
}

/** Messages of one delivery at most. */
const BATCH = 200;
/** What an event takes in memory besides its body, about. */
const OVERHEAD = 1024;

export class Lane {
  readonly partition: number;
  readonly offsets: Offsets;
  /** A delivery is under way: one at a time. */
  busy = false;
  /** The last delivery; resolves when it has ended, however. */
  delivering: Promise<void> = Promise.resolve();
  /** It is not fetched for now. */
  paused = false;
  /** The partition was taken away, or the consumer has ended. */
  ended = false;
  bytes = 0;
  /** Position of the last event taken in, or the mark it began at: at or below is dropped. */
  #last: Mark;
  #waiting: Waiting[] = [];

  constructor(partition: number, mark: Mark) {
    this.partition = partition;
    this.#last = mark;
    this.offsets = new Offsets(mark);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes a message in; answers by how many bytes it has grown, 0 for one that was there before. */
  take(offset: bigint, message: BusMessage): number {
    const position = message.kind === 'event' ? message.event.position : message.prev;
    const course = this.offsets.take(offset, position);
    if (message.kind === 'event') {
      if (this.#last !== null && message.event.position <= this.#last) {
        this.#dropped(offset, course);
        return 0;
      }
      this.#last = message.event.position;
    }
    const bytes = OVERHEAD + (message.kind === 'event' ? message.event.data.length : 0);
    this.#waiting.push({ message, bytes, offset, course });
    this.bytes += bytes;
    return bytes;
  }

  /** A message that cannot be read: it is passed over, and found missing by what follows it. */
  skip(offset: bigint): void {
    this.#dropped(offset, this.offsets.take(offset, null));
  }

  /** The next messages to deliver; none: nothing waits. */
  next(): readonly Waiting[] {
    return this.#waiting.slice(0, BATCH);
  }

  /** They were delivered; answers by how many bytes it has shrunk. */
  delivered(batch: readonly Waiting[]): number {
    this.#waiting.splice(0, batch.length);
    const bytes = batch.reduce((sum, each) => sum + each.bytes, 0);
    this.bytes -= bytes;
    const last = batch.at(-1);
    if (last !== undefined) this.offsets.deliver(last.offset, last.course);
    return bytes;
  }

  #dropped(offset: bigint, course: number): void {
    // What waits before it is delivered first: then this one counts as delivered with it.
    if (this.#waiting.length === 0) this.offsets.deliver(offset, course);
  }
}
