/**
 * A connection to Redis whose every call answers or fails within half a second: nothing is queued
 * while there is no connection, nothing is sent twice, and a server that has fallen silent is left at
 * once and connected to anew. So one call pays for the silence, and the next ones fail without waiting.
 */
import { readFile } from 'node:fs/promises';

import { Redis } from 'ioredis';

import { RuntimeError } from '../../runtime/errors.ts';
import type { RedisSettings } from './url.ts';

/** Milliseconds a call has. */
const PATIENCE = 500;
/** Milliseconds from the connection to the first answers on it. */
const GREETING = 1000;
/** Milliseconds between two attempts to connect, at most; with as much jitter again. */
const LONGEST_PAUSE = 500;

/** Redis does not answer, or refuses: `cause` is what the client says. */
export class RedisAway extends Error {
  readonly code = 'unavailable';
  constructor(where: string, what: string, options?: { readonly cause?: unknown }) {
    super(`Redis at ${where} ${what}`, options);
    this.name = 'RedisAway';
  }
}

/** What a URL names, with the files it names read. */
export interface OpenedSettings {
  readonly settings: RedisSettings;
  readonly password: string | undefined;
  /** As the client takes it; undefined: no TLS. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
}

/** @throws RuntimeError `misconfigured` for a file that cannot be read. */
export async function openSettings(settings: RedisSettings): Promise<OpenedSettings> {
  const { password, passwordFile, tls } = settings;
  return {
    settings,
    password: passwordFile === undefined ? password : (await textOf(passwordFile)).trimEnd(),
    tls: tls && {
      ...(tls.caFile !== undefined && { ca: await textOf(tls.caFile) }),
      ...(tls.client && {
        cert: await textOf(tls.client.certFile),
        key: await textOf(tls.client.keyFile),
      }),
    },
  };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new RuntimeError(
      'misconfigured',
      `CACHE_URL: ${path} cannot be read (${cause instanceof Error ? cause.message : String(cause)}); name a readable file.`,
      { cause },
    );
  }
}

export class Connection {
  readonly redis: Redis;
  readonly #where: string;
  #why: unknown;
  #greeting: NodeJS.Timeout | undefined;
  /** It did not answer: nothing more is sent on it, though it may not have closed yet. */
  #left = false;

  constructor({ settings, password, tls }: OpenedSettings, name: string) {
    const { host, port, db, username } = settings;
    this.#where = `${host}:${port}`;
    this.redis = new Redis({
      ...{ host, port, db },
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls !== undefined && { tls }),
      connectionName: name,
      connectTimeout: GREETING,
      // One that does not answer does not say goodbye either.
      disconnectTimeout: 50,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // Who listens does so again by itself: when the client does, and fails, nobody catches it.
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (times) =>
        Math.min(20 * 2 ** Math.min(times, 10), LONGEST_PAUSE) * (1 + Math.random()),
    });
    this.redis.on('error', (error: unknown) => {
      this.#why = error;
    });
    // One that expects TLS may close without a word where it is spoken to without.
    this.redis.on('close', () => {
      this.#why ??= new Error('it closed the connection');
    });
    // A server that accepts and says nothing would be waited for without end.
    this.redis.on('connect', () => {
      this.#greeting = setTimeout(() => {
        this.leave(new Error('it accepted the connection and did not answer'));
      }, GREETING);
      this.#greeting.unref();
    });
    for (const event of ['ready', 'close', 'end']) {
      this.redis.on(event, () => {
        clearTimeout(this.#greeting);
        this.#left = false;
      });
    }
  }

  get ready(): boolean {
    return this.redis.status === 'ready' && !this.#left;
  }

  /** Ends this connection for that reason; the next one is made in a moment. */
  leave(why: unknown): void {
    if (this.#left) return;
    this.#why = why;
    this.#left = true;
    this.redis.disconnect(true);
  }

  /** Resolves when it can be used, or with false when the signal aborts or it was closed. */
  async opened(signal: AbortSignal): Promise<boolean> {
    if (this.ready) return true;
    return new Promise((resolve) => {
      const done = (): void => {
        this.redis.off('ready', done);
        this.redis.off('end', done);
        signal.removeEventListener('abort', done);
        resolve(this.ready && !signal.aborted);
      };
      this.redis.on('ready', done);
      this.redis.on('end', done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }

  /**
   * Answers what the call answers.
   *
   * @throws RedisAway where there is no connection, no answer in time, or a refusal.
   */
  async call<T>(send: (redis: Redis) => Promise<T>): Promise<T> {
    if (!this.ready) {
      throw new RedisAway(this.#where, `is not connected${because(this.#why)}`, {
        cause: this.#why,
      });
    }
    const answer = send(this.redis).catch((cause: unknown) => {
      throw new RedisAway(this.#where, `did not do it${because(cause)}`, { cause });
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // An answer that has arrived while this process was busy is read before this.
        setImmediate(() => {
          setImmediate(() => {
            reject(new RedisAway(this.#where, `did not answer within ${PATIENCE} ms`));
          });
        });
      }, PATIENCE);
    });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      if (error instanceof RedisAway && error.cause === undefined) this.leave(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    clearTimeout(this.#greeting);
    this.redis.disconnect();
  }
}

function because(cause: unknown): string {
  // By what it has: an error of the machine's own need not be of this realm's class.
  const told = typeof cause === 'object' && cause !== null && 'message' in cause;
  return told ? `: ${String(cause.message)}` : '';
}
