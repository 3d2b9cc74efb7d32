/**
 * Durable timers: fires the rows of each service's `timers` table once they are due, in due order
 * within a home. Firing is an idempotent command; the row goes when its projection deletes it.
 */
import { setImmediate } from 'node:timers/promises';
import { instantOf, millisecondsOf } from '@bivouac/events/values';

import type { Clock } from '../clock.ts';
import { type ServiceDefinition, type TimerRow, timers } from '../definitions.ts';
import type { Logger } from '../logging.ts';
import { messageOf } from './failure.ts';
import type { Follower } from './follower.ts';

export interface TimersOptions {
  readonly services: readonly ServiceDefinition[];
  readonly follower: Pick<Follower, 'caughtUp' | 'view' | 'onApplied'>;
  readonly clock: Clock;
  /** Runs the row's command. `retry`, or throwing: it is tried again later. */
  readonly fire: (service: string, row: TimerRow) => Promise<'done' | 'retry'>;
  /**
   * Whether the service's reactions have consumed the row's home past the due time. May take its
   * time: other homes go on. False: asked again at the next wake.
   */
  readonly mayFire: (service: string, row: TimerRow) => boolean | Promise<boolean>;
  /**
   * Whether firing it is this instance's to do, of several. What is not, is passed over, and looked at
   * again after a wake. Absent: everything is.
   */
  readonly isHere?: (service: string, row: TimerRow) => boolean;
  readonly logger: Pick<Logger, 'warn' | 'error'>;
  /** Commands under way at once. Default 16. */
  readonly concurrency?: number;
}

export interface Timers {
  /** Resolves when nothing that is due here, by the clock and the views as they are, is unfired. */
  idle(): Promise<void>;
  /** The earliest unfired deadline of those to be fired here. It may have passed already. */
  next(): string | undefined;
  /** What is due here and not fired, by service: how many, at most {@link MOST_DUE}, and since when. */
  due(): ReadonlyMap<string, { readonly count: number; readonly since: string | undefined }>;
  /** Looks again: for a `mayFire` that would now answer otherwise. */
  wake(): void;
  /** Fires no more; waits for commands under way. Safe to call twice. */
  stop(): Promise<void>;
}

/** How often a failed firing is tried again at the next turn of the event loop, before pausing. */
const QUICK_RETRIES = 3;
const MAX_PAUSE_MILLISECONDS = 30_000;
/** How soon a home that `mayFire` held back is asked about again, if nothing wakes us before. */
const HELD_MILLISECONDS = 1_000;
/** Longest sleep: the machine's timers cannot count months, and its clock may be set. */
const MAX_SLEEP_MILLISECONDS = 3_600_000;
/** Homes with a firing under way at once: bounds what one look at the tables costs. */
const MAX_HOMES = 1_000;
/** Rows read at first: mostly the question is whether the first one is due. More each further time. */
const FIRST_PAGE = 4;
const LARGEST_PAGE = 256;

/** Due timers counted for {@link Timers.due}. */
const MOST_DUE = 1000;

/** Starts firing, once the read models have caught up. */
export function startTimers(options: TimersOptions): Timers {
  return new DurableTimers(options);
}

/** A deadline as this process remembers it. */
interface Remembered {
  /** `fired` stays until the row is gone: its command was taken, its effect is on its way. */
  state: 'firing' | 'fired' | 'failed' | 'held';
  failures: number;
  /** With `failed` and `held`, by the clock: not before. */
  retryAt: number;
}

class DurableTimers implements Timers {
  readonly #options: TimersOptions;
  readonly #services: readonly string[];
  readonly #remembered = new Map<string, Remembered>();
  /** Homes with a firing under way: their later timers wait, so that due order holds in a home. */
  readonly #busyHomes = new Set<string>();
  readonly #commands = new Set<Promise<void>>();
  readonly #unsubscribe: () => void;
  #waiting: (() => void)[] = [];
  #woken = false;
  #ready = false;
  #over = false;

  constructor(options: TimersOptions) {
    this.#options = options;
    this.#services = options.services
      .filter((s) => s.projections.some((p) => p.tables.some((t) => t.name === timers.name)))
      .map((s) => s.name);
    this.#unsubscribe = options.follower.onApplied(() => {
      this.wake();
    });
    void this.#run();
  }

  async idle(): Promise<void> {
    while (!this.#over) {
      if (this.#ready && !this.#hasUnfired()) return;
      await this.#changed();
    }
  }

  next(): string | undefined {
    let earliest: string | undefined;
    for (const service of this.#services) {
      for (const row of this.#rows(service)) {
        if (!this.#isHere(service, row)) continue;
        if (this.#remembered.get(nameOf(service, row))?.state === 'fired') continue;
        if (earliest === undefined || row.due < earliest) earliest = row.due;
        break;
      }
    }
    return earliest;
  }

  due(): ReadonlyMap<string, { readonly count: number; readonly since: string | undefined }> {
    const now = instantOf(this.#options.clock.now());
    return new Map(
      this.#services.map((service) => {
        let count = 0;
        let since: string | undefined;
        for (const row of this.#rows(service)) {
          if (row.due > now || count >= MOST_DUE) break;
          if (!this.#isHere(service, row)) continue;
          if (this.#remembered.get(nameOf(service, row))?.state === 'fired') continue;
          count++;
          since ??= row.due;
        }
        return [service, { count, since }];
      }),
    );
  }

  wake(): void {
    for (const remembered of this.#remembered.values()) {
      if (remembered.state === 'held') remembered.retryAt = 0;
    }
    this.#signal();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#over = true;
    this.#signal();
    // Not the waits for reactions: those may never end, and what comes after them is not fired.
    await Promise.all([...this.#commands]);
  }

  async #run(): Promise<void> {
    const { follower, logger } = this.#options;
    try {
      await follower.caughtUp;
    } catch {
      // The follower has told of its failure; without read models there are no timers.
      this.#over = true;
    }
    this.#ready = true;
    this.#signal();
    while (!this.#over) {
      this.#woken = false;
      let until = Number.POSITIVE_INFINITY;
      try {
        until = this.#look();
      } catch (error) {
        logger.error({ error: messageOf(error) }, 'timers cannot be read; looking again');
      }
      await this.#sleep(until);
    }
  }

  /** Starts what is due and free to fire, in due order; answers when to look again. */
  #look(): number {
    const now = this.#options.clock.now();
    const standing = new Set<string>();
    let until = Number.POSITIVE_INFINITY;
    let seenAll = true;
    for (const service of this.#services) {
      const held = new Set<string>();
      for (const row of this.#rows(service)) {
        const name = nameOf(service, row);
        standing.add(name);
        if (millisecondsOf(row.due) > now) {
          until = Math.min(until, millisecondsOf(row.due));
          break;
        }
        if (!this.#isHere(service, row)) continue;
        const home = homeOf(service, row);
        const known = this.#remembered.get(name);
        if (known?.state === 'fired' || held.has(home)) continue;
        held.add(home);
        if (this.#busyHomes.has(home)) continue;
        if (known !== undefined && known.retryAt > now) {
          until = Math.min(until, known.retryAt);
          continue;
        }
        if (this.#busyHomes.size >= MAX_HOMES) {
          seenAll = false;
          break;
        }
        this.#start(service, row, name, known);
      }
    }
    if (seenAll) this.#forgetAllBut(standing);
    return until;
  }

  #start(service: string, row: TimerRow, name: string, known: Remembered | undefined): void {
    const remembered = known ?? { state: 'firing', failures: 0, retryAt: 0 };
    remembered.state = 'firing';
    this.#remembered.set(name, remembered);
    const home = homeOf(service, row);
    this.#busyHomes.add(home);
    void this.#fire(service, row, remembered).finally(() => {
      this.#busyHomes.delete(home);
      this.#signal();
    });
  }

  async #fire(service: string, row: TimerRow, remembered: Remembered): Promise<void> {
    const { mayFire, clock, logger, concurrency = 16 } = this.#options;
    try {
      if (!(await mayFire(service, row))) {
        remembered.state = 'held';
        remembered.retryAt = clock.now() + HELD_MILLISECONDS;
        return;
      }
      while (this.#commands.size >= concurrency) await Promise.race(this.#commands);
      // Meanwhile the deadline may have been met, or moved: then this one has nothing to fire.
      if (this.#over || !this.#stands(service, row)) remembered.state = 'fired';
      else if (!this.#isHere(service, row)) remembered.state = 'held';
      else if ((await this.#command(service, row)) === 'done') remembered.state = 'fired';
      else {
        logger.warn({ service, timer: row.id, due: row.due }, 'a timer is to be tried again');
        await this.#failed(remembered);
      }
    } catch (error) {
      logger.error(
        { service, timer: row.id, due: row.due, command: row.command, error: messageOf(error) },
        'a timer could not be fired; trying again',
      );
      await this.#failed(remembered);
    }
  }

  async #command(service: string, row: TimerRow): Promise<'done' | 'retry'> {
    const outcome = this.#options.fire(service, row);
    const settled = outcome.then(
      () => undefined,
      () => undefined,
    );
    this.#commands.add(settled);
    try {
      return await outcome;
    } finally {
      this.#commands.delete(settled);
    }
  }

  async #failed(remembered: Remembered): Promise<void> {
    remembered.state = 'failed';
    remembered.failures += 1;
    const paused = remembered.failures - QUICK_RETRIES;
    remembered.retryAt = 0;
    if (paused <= 0) await setImmediate();
    else {
      const pause = Math.min(100 * 2 ** Math.min(paused, 20), MAX_PAUSE_MILLISECONDS);
      remembered.retryAt = this.#options.clock.now() + pause;
    }
  }

  #isHere(service: string, row: TimerRow): boolean {
    return this.#options.isHere?.(service, row) !== false;
  }

  #stands(service: string, row: TimerRow): boolean {
    return this.#options.follower.view(service).get(timers, row.id)?.due === row.due;
  }

  /** Sleeps until woken, or until the instant. */
  async #sleep(until: number): Promise<void> {
    if (this.#woken || this.#over) return;
    const { clock } = this.#options;
    const awake = new AbortController();
    const wait = Math.max(1, Math.min(until - clock.now(), MAX_SLEEP_MILLISECONDS));
    const changed = this.#changed();
    void clock.sleep(wait, awake.signal).then(() => {
      if (!awake.signal.aborted) this.#signal();
    });
    await changed;
    awake.abort();
  }

  #hasUnfired(): boolean {
    const now = instantOf(this.#options.clock.now());
    for (const service of this.#services) {
      for (const row of this.#rows(service)) {
        if (row.due > now) break;
        if (!this.#isHere(service, row)) continue;
        if (this.#remembered.get(nameOf(service, row))?.state !== 'fired') return true;
      }
    }
    return false;
  }

  /** Rows of a service in due order, read page by page as they are asked for. */
  *#rows(service: string): Generator<TimerRow> {
    const view = this.#options.follower.view(service);
    let after: string | undefined;
    for (let limit = FIRST_PAGE; ; limit = Math.min(limit * 4, LARGEST_PAGE)) {
      const page = view.range(timers, 'byDue', [], { after, limit });
      for (const { row } of page) yield row;
      if (page.length < limit) return;
      after = page.at(-1)?.cursor;
    }
  }

  #forgetAllBut(standing: ReadonlySet<string>): void {
    for (const [name, { state }] of this.#remembered) {
      if (state !== 'firing' && !standing.has(name)) this.#remembered.delete(name);
    }
  }

  #signal(): void {
    this.#woken = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}

function nameOf(service: string, row: TimerRow): string {
  return JSON.stringify([service, row.id, row.due]);
}

function homeOf(service: string, row: TimerRow): string {
  return JSON.stringify([service, row.homeId]);
}
