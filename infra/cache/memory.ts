/** The cache of one process. It ends with the process, which the port allows at any moment. */
import type { Clock } from '../runtime/clock.ts';
import { Buckets } from './buckets.ts';
import type { Cache } from './port.ts';

/** Values kept at most; the one written longest ago goes first. */
const VALUES = 50_000;

interface Value {
  readonly value: string;
  readonly until: number;
}

interface Lease {
  readonly holder: string;
  readonly token: bigint;
  readonly until: number;
}

export function memoryCache(options: { readonly clock: Clock }): Cache {
  return new MemoryCache(options.clock);
}

class MemoryCache implements Cache {
  readonly #clock: Clock;
  readonly #values = new Map<string, Value>();
  readonly #buckets = new Buckets();
  readonly #leases = new Map<string, Lease>();
  readonly #channels = new Map<string, Set<(message: string) => void>>();
  #lastToken = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get(key: string): Promise<string | undefined> {
    const found = this.#values.get(key);
    if (found === undefined) return undefined;
    if (found.until > this.#clock.now()) return found.value;
    this.#values.delete(key);
    return undefined;
  }

  async set(key: string, value: string, ttlMilliseconds: number): Promise<void> {
    this.#values.delete(key);
    if (ttlMilliseconds <= 0) return;
    this.#values.set(key, { value, until: this.#clock.now() + ttlMilliseconds });
    if (this.#values.size <= VALUES) return;
    const [oldest] = this.#values.keys();
    if (oldest !== undefined) this.#values.delete(oldest);
  }

  async delete(key: string): Promise<void> {
    this.#values.delete(key);
  }

  async take(
    bucket: string,
    cost: number,
    limit: { readonly capacity: number; readonly refillPerSecond: number },
  ): ReturnType<Cache['take']> {
    return this.#buckets.take(bucket, cost, limit, this.#clock.now());
  }

  async lease(
    name: string,
    holder: string,
    ttlMilliseconds: number,
  ): Promise<{ readonly token: bigint } | undefined> {
    const now = this.#clock.now();
    const held = this.#leases.get(name);
    const stands = held !== undefined && held.until > now;
    if (stands && held.holder !== holder) return undefined;
    const token = stands ? held.token : this.#nextToken(now);
    this.#leases.set(name, { holder, token, until: now + ttlMilliseconds });
    return { token };
  }

  async release(name: string, holder: string): Promise<void> {
    if (this.#leases.get(name)?.holder === holder) this.#leases.delete(name);
  }

  async publish(channel: string, message: string): Promise<void> {
    // Each in a turn of its own: no receiver runs inside the publisher or holds another up.
    for (const receive of this.#channels.get(channel) ?? []) {
      queueMicrotask(() => {
        if (this.#channels.get(channel)?.has(receive) === true) receive(message);
      });
    }
  }

  async subscribe(
    channel: string,
    receive: (message: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted) return;
    // One function may be subscribed twice, each with a signal of its own.
    const own = (message: string): void => receive(message);
    const receivers = this.#channels.get(channel) ?? new Set();
    receivers.add(own);
    this.#channels.set(channel, receivers);
    const leave = (): void => {
      receivers.delete(own);
      if (receivers.size === 0 && this.#channels.get(channel) === receivers) {
        this.#channels.delete(channel);
      }
    };
    signal.addEventListener('abort', leave, { once: true });
  }

  async close(): Promise<void> {
    this.#values.clear();
    this.#leases.clear();
    this.#channels.clear();
  }

  /** Begins at the clock, so that tokens grow also over a restart of the process. */
  #nextToken(now: number): bigint {
    const next = this.#lastToken + 1n;
    const clock = BigInt(Math.floor(now));
    this.#lastToken = next > clock ? next : clock;
    return this.#lastToken;
  }
}
