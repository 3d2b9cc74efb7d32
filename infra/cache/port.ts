/**
 * Cache: cost buckets, cached answers, fan-out between gateways, leases. It may vanish at any moment:
 * then things are slower or limited in the documented way, never wrong. An engine answers or fails
 * within a second: whoever asks does not watch the clock.
 */
export interface Cache {
  /** A cached value, or undefined. */
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttlMilliseconds: number): Promise<void>;
  delete(key: string): Promise<void>;
  /**
   * A leaky bucket: takes `cost` if it fits, atomically. `capacity` units, refilled by
   * `refillPerSecond`. Answers what remains and, where refused, when it would fit.
   */
  take(
    bucket: string,
    cost: number,
    limit: { readonly capacity: number; readonly refillPerSecond: number },
  ): Promise<{
    readonly taken: boolean;
    readonly remaining: number;
    readonly retryAfterMilliseconds: number;
  }>;
  /** A lease with a fencing token that only grows; undefined where another holds it. */
  lease(
    name: string,
    holder: string,
    ttlMilliseconds: number,
  ): Promise<{ readonly token: bigint } | undefined>;
  release(name: string, holder: string): Promise<void>;
  publish(channel: string, message: string): Promise<void>;
  /**
   * Calls back for every message published after the promise resolves, until the signal aborts.
   *
   * @param missed called when messages may have been lost: the engine was away and is heard again.
   */
  subscribe(
    channel: string,
    receive: (message: string) => void,
    signal: AbortSignal,
    missed?: () => void,
  ): Promise<void>;
  close(): Promise<void>;
}
