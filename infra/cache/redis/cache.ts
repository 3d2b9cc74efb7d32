/**
 * The cache that processes share: Redis. Buckets and leases are decided by scripts that Redis runs
 * atomically and by the time of its machine, so that clocks of the processes may differ.
 */
import type { Redis } from 'ioredis';

import type { Clock } from '../../runtime/clock.ts';
import { checkTake, takenOf } from '../buckets.ts';
import type { Cache } from '../port.ts';
import { Channels } from './channels.ts';
import { Connection, type OpenedSettings, openSettings } from './connection.ts';
import { LEASE, RELEASE, TAKE } from './scripts.ts';
import type { RedisSettings } from './url.ts';

export interface RedisCacheOptions {
  readonly settings: RedisSettings;
  /** Whose keys these are: the epoch of the log. Another history finds nothing of this one. */
  readonly installation: string;
  /** For tests: the time of buckets, instead of that of Redis' machine. */
  readonly clock?: Clock;
}

/**
 * Opens it. Resolves when Redis is there, or after half a second without it: it is connected to when
 * it comes.
 *
 * @throws RuntimeError `misconfigured` for a file that the URL names and that cannot be read.
 */
export async function redisCache(options: RedisCacheOptions): Promise<Cache> {
  const cache = new RedisCache(await openSettings(options.settings), options);
  await cache.opened();
  return cache;
}

class RedisCache implements Cache {
  readonly #connection: Connection;
  readonly #channels: Channels;
  readonly #prefix: string;
  readonly #clock: Clock | undefined;
  /** The greatest token seen of each lease: also after Redis has forgotten, none is smaller. */
  readonly #seen = new Map<string, bigint>();

  constructor(settings: OpenedSettings, { installation, clock }: RedisCacheOptions) {
    this.#prefix = `${settings.settings.prefix}:${installation}:`;
    this.#clock = clock;
    this.#connection = new Connection(settings, 'bivouac');
    this.#channels = new Channels(settings);
    const { redis } = this.#connection;
    // Sent by their digest, and whole where Redis does not know it (any more).
    redis.defineCommand('bivouacTake', { numberOfKeys: 1, lua: TAKE });
    redis.defineCommand('bivouacLease', { numberOfKeys: 2, lua: LEASE });
    redis.defineCommand('bivouacRelease', { numberOfKeys: 1, lua: RELEASE });
  }

  async opened(): Promise<void> {
    await this.#connection.opened(AbortSignal.timeout(500));
  }

  async get(key: string): Promise<string | undefined> {
    return (
      (await this.#connection.call((redis) => redis.get(this.#key('value', key)))) ?? undefined
    );
  }

  async set(key: string, value: string, ttlMilliseconds: number): Promise<void> {
    const name = this.#key('value', key);
    const milliseconds = Math.ceil(ttlMilliseconds);
    await this.#connection.call(async (redis) => {
      if (milliseconds <= 0) {
        await redis.del(name);
        return;
      }
      try {
        await redis.set(name, value, 'PX', milliseconds);
      } catch (error) {
        // A Redis that is full keeps what was there before, which is not to be found any more.
        await redis.del(name);
        throw error;
      }
    });
  }

  async delete(key: string): Promise<void> {
    await this.#connection.call((redis) => redis.del(this.#key('value', key)));
  }

  async take(
    bucket: string,
    cost: number,
    limit: { readonly capacity: number; readonly refillPerSecond: number },
  ): ReturnType<Cache['take']> {
    checkTake(cost, limit);
    const { capacity, refillPerSecond } = limit;
    const reply = await this.#run('bivouacTake', [
      this.#key('bucket', bucket),
      String(cost),
      String(capacity),
      String(refillPerSecond),
      this.#clock === undefined ? '' : String(this.#clock.now()),
    ]);
    return takenOf(reply.done, Number(reply.text), cost, limit);
  }

  async lease(
    name: string,
    holder: string,
    ttlMilliseconds: number,
  ): Promise<{ readonly token: bigint } | undefined> {
    const seen = this.#seen.get(name) ?? 0n;
    const reply = await this.#run('bivouacLease', [
      this.#key('lease', name),
      this.#key('token', name),
      holder,
      String(Math.max(1, Math.ceil(ttlMilliseconds))),
      String(seen),
    ]);
    const token = BigInt(reply.text);
    if (token > seen) this.#seen.set(name, token);
    return reply.done ? { token } : undefined;
  }

  async release(name: string, holder: string): Promise<void> {
    await this.#connection.call((redis) =>
      scriptOf(redis, 'bivouacRelease')(this.#key('lease', name), holder),
    );
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#connection.call((redis) => redis.publish(this.#key('channel', channel), message));
  }

  async subscribe(
    channel: string,
    receive: (message: string) => void,
    signal: AbortSignal,
    missed: () => void = () => undefined,
  ): Promise<void> {
    // A receiver of its own: one function may be subscribed twice, each with a signal of its own.
    await this.#channels.subscribe(this.#key('channel', channel), { receive, missed }, signal);
  }

  async close(): Promise<void> {
    this.#channels.close();
    this.#connection.close();
  }

  #key(kind: string, name: string): string {
    return `${this.#prefix}${kind}:${name}`;
  }

  async #run(
    name: string,
    args: readonly string[],
  ): Promise<{ readonly done: boolean; readonly text: string }> {
    const reply: unknown = await this.#connection.call((redis) => scriptOf(redis, name)(...args));
    const parts: readonly unknown[] = Array.isArray(reply) ? reply : [];
    const [done, text] = parts;
    if (typeof done === 'number' && typeof text === 'string') return { done: done === 1, text };
    throw new Error(`Redis answered ${name} with what no script of ours says`);
  }
}

/** A command that was defined; the client's types do not know it. */
function scriptOf(redis: Redis, name: string): (...args: readonly string[]) => Promise<unknown> {
  const command: unknown = Reflect.get(redis, name);
  if (typeof command !== 'function') throw new Error(`there is no script ${name}`);
  return async (...args): Promise<unknown> => Reflect.apply(command, redis, args);
}
