/**
 * How far one partition has come. Events finish in any order; the mark moves only over what is done
 * without a gap. Only events under way are kept, so an event nobody handles costs one assignment.
 */
import type { Position } from '@bivouac/events/language';

import type { Mark } from '../../bus/port.ts';

/** An event under way. */
export interface Entry {
  readonly position: Position;
  /** When it is done, everything up to here is, as far as the entries before it are. */
  through: Position;
  /** Reactions that have not finished. */
  pending: number;
  before: Entry | undefined;
  after: Entry | undefined;
}

export class PartitionMarks {
  /** Everything at or below is done. */
  mark: Mark;
  /** Everything at or below was accepted. Never below `mark`. */
  seen: Mark;
  /** Events under way. */
  unfinished = 0;
  /** The partition was taken away: what is still under way counts for nothing. */
  revoked = false;
  /**
   * It began anew behind what the bus has delivered: what lies between is read from the store, and was
   * not lost by the bus.
   */
  restarted = false;
  #last: Entry | undefined;
  #waiting: { readonly reached: () => boolean; readonly resolve: () => void }[] = [];

  constructor(mark: Mark) {
    this.mark = mark;
    this.seen = mark;
  }

  /** Accepts everything up to here without anything to do. */
  pass(position: Position): void {
    this.seen = position;
    if (this.#last === undefined) this.#move(position);
    else this.#last.through = position;
  }

  /** Accepts an event that so many reactions handle. */
  begin(position: Position, pending: number): Entry {
    const entry: Entry = {
      position,
      through: position,
      pending,
      before: this.#last,
      after: undefined,
    };
    if (this.#last !== undefined) this.#last.after = entry;
    this.#last = entry;
    this.seen = position;
    this.unfinished++;
    if (this.#waiting.length > 0) this.look();
    return entry;
  }

  /** One of the event's reactions has finished; answers whether that was the last. */
  finish(entry: Entry): boolean {
    if (--entry.pending > 0) return false;
    const { before, after } = entry;
    if (after === undefined) this.#last = before;
    else after.before = before;
    this.unfinished--;
    if (before === undefined) {
      this.#move(entry.through);
    } else {
      before.after = after;
      before.through = entry.through;
      if (this.#waiting.length > 0) this.look();
    }
    return true;
  }

  /** Resolves when the condition holds: it is looked at whenever something is done. */
  when(reached: () => boolean): Promise<void> {
    if (reached()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ reached, resolve }));
  }

  /** Looks at the conditions waited for. */
  look(): void {
    const met = this.#waiting.filter((w) => w.reached());
    if (met.length === 0) return;
    this.#waiting = this.#waiting.filter((w) => !met.includes(w));
    for (const { resolve } of met) resolve();
  }

  #move(position: Position): void {
    this.mark = position;
    if (this.#waiting.length > 0) this.look();
  }
}
