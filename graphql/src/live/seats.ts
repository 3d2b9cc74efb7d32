/**
 * How many subscriptions an account has at all gateways together: each holds a seat, a lease in the cache
 * that the gateways share. Where that is away each gateway counts by itself; a gateway that dies keeps its
 * seats for as long as a lease lasts.
 */
import { randomUUID } from 'node:crypto';

import type { GatewayClock } from '../http/authentication.ts';

/** Where seats are; the caches of `infra/cache` fit, those that fail where they are away. */
export interface SeatCache {
  lease(name: string, holder: string, ttlMilliseconds: number): Promise<object | undefined>;
  release(name: string, holder: string): Promise<void>;
}

export interface SeatsOptions {
  readonly cache: SeatCache;
  /** Leases last by the machine's time. */
  readonly machine: GatewayClock;
}

/** One seat, until it is left. */
export interface Seat {
  leave(): void;
}

/** Milliseconds for which a seat stays taken when its gateway has died. */
const LASTS = 10_000;
/** Milliseconds between two renewals. */
const RENEWED = 3_000;

export class Seats {
  readonly #options: SeatsOptions;

  constructor(options: SeatsOptions) {
    this.#options = options;
  }

  /**
   * Takes one of an account's seats, or answers undefined where all are taken.
   *
   * @param first the seat to try first: as many as this gateway knows to be taken.
   */
  async take(account: string, seats: number, first: number): Promise<Seat | undefined> {
    const held = new HeldSeat(this.#options, account, seats);
    return (await held.take(first)) ? held : undefined;
  }
}

class HeldSeat implements Seat {
  readonly #options: SeatsOptions;
  readonly #account: string;
  readonly #seats: number;
  readonly #holder = randomUUID();
  readonly #left = new AbortController();
  /** Undefined: the cache was away, or has given it to somebody else. */
  #name: string | undefined;

  constructor(options: SeatsOptions, account: string, seats: number) {
    this.#options = options;
    this.#account = account;
    this.#seats = seats;
  }

  async take(first: number): Promise<boolean> {
    try {
      if (!(await this.#find(first))) return false;
    } catch {
      // Away: what this gateway counts has to do.
    }
    void this.#keep();
    return true;
  }

  leave(): void {
    if (this.#left.signal.aborted) return;
    this.#left.abort();
    // Where that fails it is free in a while.
    if (this.#name !== undefined) {
      this.#options.cache.release(this.#name, this.#holder).catch(() => undefined);
    }
  }

  async #find(first: number): Promise<boolean> {
    for (let n = 0; n < this.#seats; n++) {
      const name = `subscription ${this.#account} ${(first + n) % this.#seats}`;
      if ((await this.#options.cache.lease(name, this.#holder, LASTS)) === undefined) continue;
      this.#name = name;
      return true;
    }
    return false;
  }

  async #keep(): Promise<void> {
    const { cache, machine } = this.#options;
    const { signal } = this.#left;
    for (;;) {
      await machine.sleep(RENEWED, signal);
      if (signal.aborted) return;
      try {
        const kept =
          this.#name === undefined ? undefined : await cache.lease(this.#name, this.#holder, LASTS);
        // Nobody's stream ends because the cache has forgotten: it takes another seat, or stands.
        if (kept === undefined) {
          this.#name = undefined;
          await this.#find(0);
        }
      } catch {
        continue;
      }
      // It was left while it was renewed.
      if (signal.aborted && this.#name !== undefined) {
        await cache.release(this.#name, this.#holder).catch(() => undefined);
      }
    }
  }
}
