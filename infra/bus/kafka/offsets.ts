/**
 * Which offset of a partition may be committed: the one behind everything that was delivered and is
 * remembered by the group, without a gap. Committing less costs a few messages again; more would lose.
 */
import type { Mark } from '../port.ts';

/** What to commit. */
export interface Commit {
  /** The next message to read. */
  readonly offset: bigint;
  /** No event before that offset lies beyond this position. */
  readonly mark: Mark;
}

interface Entry {
  readonly offset: bigint;
  /** Of an event, or the last one that a marker speaks of; null: nothing to wait for. */
  readonly position: Mark;
}

export class Offsets {
  /** Counts how often the offsets began anew: what was taken before counts for nothing since. */
  #course = 0;
  #entries: Entry[] = [];
  /** Entries before it were passed. */
  #first = 0;
  #taken = -1n;
  /** Everything up to this offset was delivered. */
  #delivered = -1n;
  #mark: Mark;
  #next: bigint | undefined;
  #committed: bigint | undefined;

  /** @param mark everything at or below was done before the partition came here. */
  constructor(mark: Mark) {
    this.#mark = mark;
  }

  /**
   * A message was taken in. An offset that goes back begins a new course: the topic was made anew, or
   * reading has gone back to what was committed. Answers the course.
   */
  take(offset: bigint, position: Mark): number {
    if (offset <= this.#taken) {
      this.#course++;
      this.#entries = [];
      this.#first = 0;
      this.#delivered = -1n;
      this.#next = undefined;
    }
    this.#taken = offset;
    this.#entries.push({ offset, position });
    return this.#course;
  }

  /** Messages of a course up to this offset were delivered, or needed no delivery. */
  deliver(offset: bigint, course: number): void {
    if (course === this.#course && offset > this.#delivered) this.#delivered = offset;
  }

  /**
   * What is to be committed now; undefined: nothing that was not before.
   *
   * @param kept everything at or below is remembered durably by the group.
   */
  due(kept: Mark): Commit | undefined {
    for (;;) {
      const entry = this.#entries[this.#first];
      if (entry === undefined || entry.offset > this.#delivered) break;
      if (entry.position !== null && (kept === null || entry.position > kept)) break;
      this.#mark = later(this.#mark, entry.position);
      this.#next = entry.offset + 1n;
      this.#first++;
    }
    if (this.#first > 1024) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
    if (this.#next === undefined || this.#next === this.#committed) return undefined;
    return { offset: this.#next, mark: this.#mark };
  }

  /** It was committed. */
  committed({ offset }: Commit): void {
    this.#committed = offset;
  }
}

function later(a: Mark, b: Mark): Mark {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}
