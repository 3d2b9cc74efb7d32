/**
 * The rows of a read model that are in memory: those used lately and those put and not written yet.
 * One measure in bytes holds for all its tables, so that few large rows and many small ones share.
 */

/** What knowing a row takes beside its text: its key, its object, its place in a map. */
const OVERHEAD = 200;

/**
 * Measures spans by the rows that became known, or were used again, in them. Tables keep the rows of
 * the present span and of the one before, and forget the others.
 */
export class RowMemory {
  readonly #span: number;
  readonly #end: () => void;
  #used = 0;

  /**
   * @param bytes of two spans.
   * @param end begins another span in every table.
   */
  constructor(bytes: number, end: () => void) {
    this.#span = bytes / 2;
    this.#end = end;
  }

  /** Counts a row that belongs to the present span from now on. */
  take(bytes: number): void {
    this.#used += bytes + OVERHEAD;
  }

  /** Ends the span if it is full. A table calls this before it looks at what it knows. */
  turn(): void {
    if (this.#used < this.#span) return;
    this.#used = 0;
    this.#end();
  }

  /** How much of the present span is over, from 0 to 1. */
  get passed(): number {
    return Math.min(1, this.#used / this.#span);
  }
}

/** What is known of a row. One object as long as it is known: rows are put by the million. */
export interface Known {
  readonly k: string;
  /** The present row; null where there is none. */
  row: object | null;
  /** The row as it is stored; null where none is; undefined where that is not known. */
  stored: object | null | undefined;
  /** Length of its text when it was written or read last; before that, a guess. */
  bytes: number;
  waits: boolean;
}

/** The known rows of one table. What waits to be written stays known until it is. */
export class KnownRows {
  readonly #memory: RowMemory;
  readonly #write: (known: Known) => void;
  // Two spans make a memory that forgets what was not used lately, without a list to keep in order.
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();
  /** What waits, in the order in which it began to; those before `#next` do no longer. */
  #waiting: Known[] = [];
  #next = 0;
  /** How many of them were there when the present span began. */
  #aged = 0;

  /** @param write stores a row as it is, in the transaction under way. */
  constructor(memory: RowMemory, write: (known: Known) => void) {
    this.#memory = memory;
    this.#write = write;
  }

  /** Whether any row waits to be written. */
  get areWaiting(): boolean {
    return this.#next < this.#waiting.length;
  }

  /** What is known of a row. It is used, so it belongs to the present span. */
  find(k: string): Known | undefined {
    const young = this.#young.get(k);
    if (young !== undefined) return young;
    const old = this.#old.get(k);
    if (old !== undefined) this.#take(old);
    return old;
  }

  add(k: string, row: Known['row'], stored: Known['stored'], bytes: number): Known {
    const known: Known = { k, row, stored, bytes, waits: false };
    this.#take(known);
    return known;
  }

  /** Has a row written before it is forgotten. It was just found or added. */
  wait(known: Known): void {
    if (known.waits) return;
    known.waits = true;
    this.#waiting.push(known);
  }

  /** Writes all that waits. */
  writeAll(): void {
    this.#writeTo(this.#waiting.length);
    this.#waiting = [];
    this.#next = 0;
    this.#aged = 0;
  }

  /**
   * Writes of what waited before the present span as much as of the span has passed, so that nothing
   * of it is left when the span ends and no single write takes long.
   */
  writeAged(passed: number): void {
    this.#writeTo(this.#dueBy(passed));
  }

  /** Whether {@link writeAged} would write anything. */
  isDue(passed: number): boolean {
    return this.#next < this.#dueBy(passed);
  }

  /** Begins another span: forgets what was not used in the last one. All that had aged is written. */
  age(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
    this.#aged = this.#waiting.length;
  }

  /** Forgets everything, also what waits. */
  forget(): void {
    this.#old = new Map();
    this.#young = new Map();
    this.#waiting = [];
    this.#next = 0;
    this.#aged = 0;
  }

  #take(known: Known): void {
    this.#young.set(known.k, known);
    this.#memory.take(known.bytes);
  }

  #dueBy(passed: number): number {
    return Math.ceil(this.#aged * passed);
  }

  #writeTo(end: number): void {
    for (; this.#next < end; this.#next++) {
      const known = this.#waiting[this.#next];
      if (known === undefined) continue;
      if (known.row !== known.stored) this.#write(known);
      known.waits = false;
    }
  }
}
