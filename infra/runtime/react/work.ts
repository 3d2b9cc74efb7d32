/**
 * The queues of a service's reactions: one per (home, target), whichever reaction named the target.
 * Within a queue one after the other, queues beside each other up to the bound.
 */
import type { Position, Recorded } from '@bivouac/events/language';

import type { Spanned } from '../../tracing/spans.ts';
import type { Outcome } from './attempts.ts';
import type { Entry, PartitionMarks } from './marks.ts';
import type { Reaction } from './reaction.ts';
import type { Slots } from './slots.ts';

/** One reaction to one event. */
export interface Task {
  readonly marks: PartitionMarks;
  readonly entry: Entry;
  readonly event: Recorded;
  readonly reaction: Reaction;
  /** From the event's delivery until its last reaction is done. */
  readonly delivery?: Spanned | undefined;
}

interface Queue {
  readonly key: string;
  readonly home: Home;
  tasks: Task[];
  /** It is being worked off, or waits for a slot. */
  begun: boolean;
  /** The first task runs. */
  running: boolean;
}

interface Home {
  readonly id: string;
  readonly queues: Map<string, Queue>;
  quiet: (() => void)[];
}

export class Work {
  readonly #slots: Slots;
  readonly #run: (task: Task) => Promise<Outcome>;
  readonly #settled: (task: Task, outcome: Outcome) => void;
  readonly #homes = new Map<string, Home>();
  #running = 0;
  #ended = false;
  #allQuiet: (() => void)[] = [];

  constructor(
    slots: Slots,
    run: (task: Task) => Promise<Outcome>,
    settled: (task: Task, outcome: Outcome) => void,
  ) {
    this.#slots = slots;
    this.#run = run;
    this.#settled = settled;
  }

  /** Puts a task behind the others of its target; an idle target begins at once. */
  add(target: string, task: Task): void {
    const home = this.#home(task.event.homeid);
    let queue = home.queues.get(target);
    if (queue === undefined) {
      queue = { key: target, home, tasks: [], begun: false, running: false };
      home.queues.set(target, queue);
    }
    queue.tasks.push(task);
    if (!queue.begun && !this.#ended) this.#begin(queue);
  }

  /** Takes out the tasks of a home from a position on that have not begun. */
  drop(homeId: string, from: Position): readonly Task[] {
    const dropped: Task[] = [];
    for (const queue of this.#homes.get(homeId)?.queues.values() ?? []) {
      queue.tasks = queue.tasks.filter((task, i) => {
        if ((i === 0 && queue.running) || task.entry.position < from) return true;
        dropped.push(task);
        return false;
      });
    }
    return dropped;
  }

  /** Resolves when nothing of the home is queued or running, or when the work has ended. */
  quiet(homeId: string): Promise<void> {
    const home = this.#homes.get(homeId);
    if (home === undefined || this.#ended) return Promise.resolve();
    return new Promise((resolve) => home.quiet.push(resolve));
  }

  /** Begins nothing more; resolves when nothing runs. */
  end(): Promise<void> {
    this.#ended = true;
    for (const home of this.#homes.values()) for (const resolve of home.quiet) resolve();
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#allQuiet.push(resolve));
  }

  #home(id: string): Home {
    const known = this.#homes.get(id);
    if (known !== undefined) return known;
    const home: Home = { id, queues: new Map(), quiet: [] };
    this.#homes.set(id, home);
    return home;
  }

  #begin(queue: Queue): void {
    queue.begun = true;
    if (this.#slots.tryTake()) void this.#work(queue);
    else void this.#slots.take().then(() => this.#work(queue));
  }

  /** Works a queue off; holds a slot when called. */
  async #work(queue: Queue): Promise<void> {
    for (;;) {
      const [task] = queue.tasks;
      if (task === undefined || this.#ended) break;
      queue.running = true;
      this.#running++;
      const outcome = await this.#run(task);
      this.#running--;
      queue.running = false;
      queue.tasks.shift();
      this.#settled(task, outcome);
      if (this.#slots.contended && queue.tasks.length > 0 && !this.#ended) {
        // Others have waited longer: to the end of the line.
        this.#slots.give();
        await this.#slots.take();
      }
    }
    this.#slots.give();
    this.#leave(queue);
  }

  #leave(queue: Queue): void {
    const { home } = queue;
    queue.begun = false;
    if (queue.tasks.length === 0) {
      home.queues.delete(queue.key);
      if (home.queues.size === 0) {
        this.#homes.delete(home.id);
        for (const resolve of home.quiet) resolve();
      }
    }
    if (this.#ended && this.#running === 0) {
      for (const resolve of this.#allQuiet) resolve();
      this.#allQuiet = [];
    }
  }
}
