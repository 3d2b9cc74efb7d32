/**
 * One process of the simulated system. What it asks of a port goes through here: it takes time, its
 * answer may get lost, and the process may be killed before the call, while it is under way, or after it
 * was done. A process that was killed goes on in nobody's eyes: none of its calls is ever answered.
 */
import type { Clock } from '@bivouac/infra/runtime';

import type { Draws } from '@bivouac/all/draws';

import type { Cancel, Owner, Scheduler } from './scheduler.ts';

/** How long things take, in milliseconds. */
export interface Weather {
  /** Of most calls and messages. */
  readonly usual: number;
  /** Of some, and how many these are. */
  readonly slow: number;
  readonly slowShare: number;
}

/** What all processes of a run share. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly draws: Draws;
  weather(): Weather;
  /** Milliseconds by which wall clocks are before the network's time. */
  wall(): number;
  /** Those that are gone and have a request on its way. */
  readonly strays: Set<SimulatedProcess>;
  /** Whether the call that a process is about to make is its last. Asked once a call. */
  killedAt(process: SimulatedProcess, what: string): 'before' | 'under-way' | 'after' | undefined;
}

interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

/** Milliseconds that a request is on its way at most, of a process that is gone. */
const STRAY = 20_000;

let made = 0;

/** Processes are told apart by numbers that begin anew with each run. */
export function forgetProcesses(): void {
  made = 0;
}

export class SimulatedProcess implements Owner {
  readonly name: string;
  over = false;
  stalledUntil = 0;
  readonly surroundings: Surroundings;
  /** Milliseconds by which its wall clock differs from the others'. */
  skew: number;
  readonly #sleepers = new Set<Sleeper>();
  readonly #ended: (() => void)[] = [];

  constructor(kind: string, surroundings: Surroundings, skew = 0) {
    this.name = `${kind}-${++made}`;
    this.surroundings = surroundings;
    this.skew = skew;
  }

  /** Kills it. Calls under way that were not done yet are done, or never are. */
  kill(why: string): void {
    if (this.over) return;
    this.over = true;
    this.surroundings.scheduler.note(`${this.name} is killed: ${why}`);
    this.#sleepers.clear();
    for (const ended of this.#ended.splice(0)) ended();
  }

  /** Calls back once it was killed: connections break, and groups lose a member. */
  onEnd(ended: () => void): void {
    this.#ended.push(ended);
  }

  /** A latency as the weather has it. */
  latency(): number {
    const { draws } = this.surroundings;
    const { usual, slow, slowShare } = this.surroundings.weather();
    return (draws.chance(slowShare) ? slow : usual) * draws.unit();
  }

  /**
   * A call of something outside of the process.
   *
   * @param fate what becomes of it besides being done and answered: drawn by the port.
   */
  call<T>(what: string, act: () => Promise<T>, fate: Fate = 'answered'): Promise<T> {
    if (this.over) return never();
    const { scheduler, draws } = this.surroundings;
    const killed = this.surroundings.killedAt(this, what);
    if (killed === 'before') {
      this.kill(`before ${what}`);
      return never();
    }
    return new Promise<T>((resolve, reject) => {
      const answer = (settle: () => void): void => {
        if (killed === 'after') this.kill(`after ${what}`);
        scheduler.after(this.latency(), this, `hears of ${what}`, settle);
      };
      // A request on its way is nobody's any more: it may arrive long after the death of who sent it.
      const strays = killed === 'under-way' && draws.chance(0.8);
      const stray = strays ? draws.unit() * STRAY : 0;
      if (strays) this.surroundings.strays.add(this);
      scheduler.after(this.latency() + stray, undefined, `${this.name}: ${what}`, () => {
        this.surroundings.strays.delete(this);
        if (this.over && !strays && draws.chance(0.5)) return;
        if (fate !== 'answered' && !fate.done) {
          answer(() => {
            reject(fate.error);
          });
          if (fate.later !== undefined) {
            scheduler.after(fate.later, undefined, `late ${what}`, () => {
              act().catch(() => undefined);
            });
          }
          return;
        }
        act().then(
          (value) => {
            answer(() => {
              if (fate === 'answered') resolve(value);
              else reject(fate.error);
            });
          },
          (error: unknown) => {
            answer(() => {
              reject(error instanceof Error ? error : new Error(String(error)));
            });
          },
        );
      });
      if (killed === 'under-way') this.kill(`during ${what}`);
    });
  }

  /** Something that only it does, on its own machine: what was not done when it dies never is. */
  local<T>(what: string, milliseconds: number, act: () => T): Promise<T> {
    if (this.over) return never();
    const { scheduler } = this.surroundings;
    const killed = this.surroundings.killedAt(this, what);
    if (killed === 'before') {
      this.kill(`before ${what}`);
      return never();
    }
    return new Promise((resolve) => {
      scheduler.after(milliseconds, this, what, () => {
        const value = act();
        if (killed === undefined) resolve(value);
        else this.kill(`after ${what}`);
      });
    });
  }

  /** Its wall clock: what is held against deadlines. */
  readonly clock: Clock = {
    now: () => this.#wall(),
    sleep: (milliseconds, signal) => this.#sleep(milliseconds, signal, true),
  };

  /** The network's time, which nobody moves. */
  readonly network: Clock = {
    now: () => this.surroundings.scheduler.now,
    sleep: (milliseconds, signal) => this.#sleep(milliseconds, signal, false),
  };

  /** The wall clock was moved: whoever sleeps until an instant that has come wakes. */
  moved(): void {
    const due = [...this.#sleepers]
      .filter(({ wakeAt }) => wakeAt <= this.#wall())
      .sort((a, b) => a.wakeAt - b.wakeAt);
    for (const { wake } of due) wake();
  }

  #wall(): number {
    const { scheduler } = this.surroundings;
    return Math.floor(scheduler.now + this.surroundings.wall() + this.skew);
  }

  #sleep(milliseconds: number, signal: AbortSignal | undefined, byWall: boolean): Promise<void> {
    if (this.over) return never();
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      let cancel: Cancel = () => undefined;
      const wake = (): void => {
        cancel();
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper: Sleeper = { wakeAt: this.#wall() + milliseconds, wake };
      signal?.addEventListener('abort', wake, { once: true });
      if (byWall) this.#sleepers.add(sleeper);
      cancel = this.surroundings.scheduler.after(milliseconds, this, 'wakes', wake);
    });
  }
}

/** What becomes of a call. */
export type Fate =
  | 'answered'
  /** The answer is this error, though it was done. */
  | { readonly done: true; readonly error: Error }
  /** The answer is this error, and it is not done, or only so many milliseconds later. */
  | { readonly done: false; readonly error: Error; readonly later?: number };

/** What a dead process waits for. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}
