/**
 * One life of a process: everything it does to the world outside goes through here, so that it can be
 * ended between any two such calls. A call of a process that is dead is never answered.
 */
import type { Clock, ManualClock } from '@bivouac/infra/runtime';

/** How busy all lives on one disk are: what is not busy can only be moved by time. */
export class Activity {
  /** Calls that have begun. */
  moves = 0;
  /** Calls under way. */
  open = 0;
}

/** A place in a run at which a process can die: before or after a call, counted from the start. */
export type Failpoint = string;

export interface LifeOptions {
  readonly activity: Activity;
  /** Where it dies; never unless told. */
  readonly dieAt?: Failpoint | undefined;
  /** How a real process ends itself there. */
  readonly die?: (() => void) | undefined;
  /** Of what it is a part: it dies with that, and also by itself. Failpoints are counted there. */
  readonly partOf?: Life;
}

export class Life {
  /** In the order in which they were passed. */
  readonly passed: Failpoint[] = [];
  /** Resolves when it has died. */
  readonly died: Promise<void>;
  readonly #options: LifeOptions;
  readonly #counts = new Map<string, number>();
  #dead = false;
  #die: () => void = () => undefined;
  readonly #held: (() => Promise<void>)[] = [];
  #open = 0;
  #last: () => void = () => undefined;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
    options.partOf?.holds(() => this.gone());
  }

  get dead(): boolean {
    return this.#dead || this.#options.partOf?.dead === true;
  }

  /** Ends it here and now. */
  kill(): void {
    this.#dead = true;
    this.#die();
  }

  /** What the kernel takes back of a process that is gone: open files. */
  holds(release: () => Promise<void>): void {
    this.#held.push(release);
  }

  /**
   * Resolves when nothing of it is left and what it had begun outside is over: the kernel and the engine
   * finish what they were given.
   */
  async gone(): Promise<void> {
    while (this.#open > 0) {
      await new Promise<void>((resolve) => {
        this.#last = resolve;
      });
    }
    for (const release of this.#held.splice(0)) await release();
  }

  /** A call that changes something outside: a failpoint before it and one after it. */
  async act<T>(name: string, call: () => Promise<T>): Promise<T> {
    await this.at(`before ${name}`);
    const answer = await this.ask(call);
    await this.at(`after ${name}`);
    return answer;
  }

  /** A call that changes nothing outside. */
  async ask<T>(call: () => Promise<T>): Promise<T> {
    if (this.dead) return never();
    const { activity } = this.#options;
    activity.moves += 1;
    activity.open += 1;
    this.#open += 1;
    try {
      return await call();
    } finally {
      activity.open -= 1;
      this.#open -= 1;
      if (this.#open === 0) this.#last();
      // Neither an answer nor an error reaches who is dead.
      if (this.dead) await never();
    }
  }

  /** A failpoint: whoever is to die here does. */
  async at(name: string): Promise<void> {
    if (this.dead) return never();
    const { activity, partOf: whole, dieAt } = this.#options;
    activity.moves += 1;
    const point = (whole ?? this).#pass(name);
    if (point === dieAt) this.kill();
    if (this.dead) return never();
  }

  #pass(name: string): Failpoint {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    const point = `${name} (${count})`;
    this.passed.push(point);
    if (point === this.#options.dieAt) {
      this.#options.die?.();
      this.kill();
    }
    return point;
  }

  /** The clock as it sees it: nobody dead is woken. */
  clock(clock: ManualClock): Clock {
    return {
      now: () => clock.now(),
      sleep: async (milliseconds, signal) => {
        await clock.sleep(milliseconds, signal);
        if (this.dead) await never();
      },
    };
  }

  /** Everything of a stream for as long as it lives. */
  async *follow<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const one of source) {
      if (this.dead) await never();
      this.#options.activity.moves += 1;
      yield one;
    }
  }
}

/** Each its own: whoever waits for it is forgotten with it. */
function never(): Promise<never> {
  return new Promise<never>(() => undefined);
}
