/**
 * What happens when, in a simulation: every call of a port, every message and every deadline is a task
 * here, done at an instant that the seed has drawn, one task at a time. So one seed is one schedule.
 *
 * Two times pass. The network's passes by the tasks themselves and is what latencies are of. The wall
 * clocks of processes go by it and are moved on besides, so that hours of deadlines cost nothing.
 */
import { createHash, type Hash } from 'node:crypto';

/** Whose task it is: one that is over does nothing more. */
export interface Owner {
  readonly name: string;
  readonly over: boolean;
  /** It stands still until then, by the network's time. */
  readonly stalledUntil: number;
}

interface Task {
  at: number;
  readonly order: number;
  /** Undefined: it is the network's, and outlives everybody. */
  readonly owner: Owner | undefined;
  readonly what: string;
  readonly run: () => void;
  cancelled: boolean;
}

/** Takes a task back; of one that was done: nothing happens. */
export type Cancel = () => void;

export class Scheduler {
  /** Milliseconds since the beginning, by the network. */
  now = 0;
  /** Tasks done. */
  steps = 0;
  readonly #heap: Task[] = [];
  readonly #trace: Hash = createHash('sha256');
  readonly #told: ((line: string) => void) | undefined;
  #made = 0;

  /** @param told gets each line of the trace: for looking at one seed. */
  constructor(told?: (line: string) => void) {
    this.#told = told;
  }

  /** Does it after so many milliseconds, unless the owner is over by then. */
  after(milliseconds: number, owner: Owner | undefined, what: string, run: () => void): Cancel {
    const at = this.now + Math.max(0, milliseconds);
    const task: Task = { at, order: this.#made++, owner, what, run, cancelled: false };
    this.#push(task);
    return () => {
      task.cancelled = true;
    };
  }

  /** Says something that belongs to the trace. */
  note(what: string): void {
    const line = `${this.now.toFixed(3)} ${what}`;
    this.#trace.update(line).update('\n');
    this.#told?.(line);
  }

  /** Tells two schedules apart. */
  digest(): string {
    return this.#trace.copy().digest('hex');
  }

  /**
   * Does what is due, in order, until the condition holds or nothing is left to do; answers whether it
   * holds. After each task everything that follows from it without another task is done, too.
   */
  async until(done: () => boolean, most: number): Promise<boolean> {
    const last = this.steps + most;
    while (!done()) {
      if (this.steps >= last || !this.#step()) return done();
      // Promises settle before, and whoever gave way with `setImmediate` comes in turn.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return true;
  }

  #step(): boolean {
    for (;;) {
      const task = this.#pop();
      if (task === undefined) return false;
      const { owner } = task;
      if (task.cancelled || owner?.over === true) continue;
      if (owner !== undefined && owner.stalledUntil > task.at) {
        task.at = owner.stalledUntil;
        this.#push(task);
        continue;
      }
      this.now = Math.max(this.now, task.at);
      this.steps++;
      this.note(`${owner?.name ?? 'network'} ${task.what}`);
      task.run();
      return true;
    }
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(task);
    while (at > 0) {
      const above = (at - 1) >>> 1;
      const other = heap[above];
      if (other === undefined || !isBefore(task, other)) break;
      heap[at] = other;
      at = above;
    }
    heap[at] = task;
  }

  #pop(): Task | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const right = heap[below + 1];
      let smaller = heap[below];
      if (smaller === undefined) break;
      if (right !== undefined && isBefore(right, smaller)) {
        smaller = right;
        below++;
      }
      if (!isBefore(smaller, last)) break;
      heap[at] = smaller;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
