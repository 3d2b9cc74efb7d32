/**
 * A cache that never fails its users: while the engine behind it is away, nothing is found, nothing
 * is kept or deleted, nobody gets a lease, and buckets count in this process alone.
 */
import type { Clock } from '../runtime/clock.ts';
import { Buckets } from './buckets.ts';
import type { Cache } from './port.ts';

/** How often an outage is told, at most. */
const TELL_MILLISECONDS = 60_000;

export interface SurvivingOptions {
  readonly clock: Clock;
  /** Told once for an outage, and at most once a minute where the engine comes and goes. */
  readonly onOutage: (error: unknown) => void;
}

/**
 * Wraps an engine. `subscribe` alone still fails where it cannot be done: what was not heard cannot
 * be made up for here.
 */
export function survivingCache(cache: Cache, options: SurvivingOptions): Cache {
  return new SurvivingCache(cache, options);
}

class SurvivingCache implements Cache {
  readonly #cache: Cache;
  readonly #clock: Clock;
  readonly #onOutage: (error: unknown) => void;
  /** Kept from one outage to the next: an engine that comes and goes gives nobody a fresh bucket. */
  readonly #buckets = new Buckets();
  #toldAt = -Infinity;

  constructor(cache: Cache, { clock, onOutage }: SurvivingOptions) {
    this.#cache = cache;
    this.#clock = clock;
    this.#onOutage = onOutage;
  }

  get(key: string): Promise<string | undefined> {
    return this.#try(() => this.#cache.get(key), undefined);
  }

  set(key: string, value: string, ttlMilliseconds: number): Promise<void> {
    return this.#try(() => this.#cache.set(key, value, ttlMilliseconds), undefined);
  }

  delete(key: string): Promise<void> {
    return this.#try(() => this.#cache.delete(key), undefined);
  }

  async take(
    bucket: string,
    cost: number,
    limit: { readonly capacity: number; readonly refillPerSecond: number },
  ): ReturnType<Cache['take']> {
    try {
      return await this.#cache.take(bucket, cost, limit);
    } catch (error) {
      // What no cache could ever take is the caller's mistake, not an outage.
      if (error instanceof RangeError) throw error;
      this.#outage(error);
      return this.#buckets.take(bucket, cost, limit, this.#clock.now());
    }
  }

  lease(
    name: string,
    holder: string,
    ttlMilliseconds: number,
  ): Promise<{ readonly token: bigint } | undefined> {
    return this.#try(() => this.#cache.lease(name, holder, ttlMilliseconds), undefined);
  }

  release(name: string, holder: string): Promise<void> {
    return this.#try(() => this.#cache.release(name, holder), undefined);
  }

  publish(channel: string, message: string): Promise<void> {
    return this.#try(() => this.#cache.publish(channel, message), undefined);
  }

  subscribe(
    channel: string,
    receive: (message: string) => void,
    signal: AbortSignal,
    missed?: () => void,
  ): Promise<void> {
    return this.#cache.subscribe(channel, receive, signal, missed);
  }

  close(): Promise<void> {
    return this.#try(() => this.#cache.close(), undefined);
  }

  async #try<T>(act: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await act();
    } catch (error) {
      this.#outage(error);
      return otherwise;
    }
  }

  #outage(error: unknown): void {
    const now = this.#clock.now();
    if (now - this.#toldAt < TELL_MILLISECONDS) return;
    this.#toldAt = now;
    this.#onOutage(error);
  }
}
