/**
 * Channels on a connection of their own, since one that listens can do little else. Redis keeps no
 * message for who is not there: after a cut it is subscribed anew, and each receiver told that
 * something may be missing. A connection that has died without a word is noticed by asking it now and
 * then whether it is there.
 */
import { Connection, type OpenedSettings } from './connection.ts';

/** Milliseconds between two looks at a connection that is listened on. */
const LOOK = 1000;

interface Receiver {
  readonly receive: (message: string) => void;
  readonly missed: () => void;
}

export class Channels {
  readonly #settings: OpenedSettings;
  readonly #receivers = new Map<string, Set<Receiver>>();
  #connection: Connection | undefined;
  #looking: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(settings: OpenedSettings) {
    this.#settings = settings;
  }

  /** @throws RedisAway where Redis does not confirm it. */
  async subscribe(channel: string, receiver: Receiver, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const connection = this.#open();
    // The first of a process need not fail only because the connection is being made.
    await connection.opened(AbortSignal.any([signal, AbortSignal.timeout(500)]));
    const receivers = this.#receivers.get(channel) ?? new Set();
    this.#receivers.set(channel, receivers.add(receiver));
    const leave = (): void => {
      if (!receivers.delete(receiver) || receivers.size > 0) return;
      if (this.#receivers.get(channel) !== receivers) return;
      this.#receivers.delete(channel);
      // Where it fails, messages come that nobody wants.
      connection.call((redis) => redis.unsubscribe(channel)).catch(() => undefined);
    };
    try {
      await connection.call((redis) => redis.subscribe(channel));
    } catch (error) {
      leave();
      throw error;
    }
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#looking);
    this.#receivers.clear();
    this.#connection?.close();
  }

  #open(): Connection {
    if (this.#connection !== undefined) return this.#connection;
    const connection = new Connection(this.#settings, 'bivouac-channels');
    this.#connection = connection;
    const { redis } = connection;
    redis.on('message', (channel: string, message: string) => {
      for (const receiver of [...(this.#receivers.get(channel) ?? [])]) receiver.receive(message);
    });
    let readyBefore = false;
    redis.on('ready', () => {
      if (readyBefore) void this.#again(connection);
      readyBefore = true;
    });
    this.#look(connection);
    return connection;
  }

  /** After a cut. What cannot be subscribed now is tried with the next connection. */
  async #again(connection: Connection): Promise<void> {
    const channels = [...this.#receivers.keys()];
    if (channels.length === 0) return;
    try {
      await connection.call((redis) => redis.subscribe(...channels));
    } catch (error) {
      connection.leave(error);
      return;
    }
    for (const channel of channels) {
      for (const { missed } of [...(this.#receivers.get(channel) ?? [])]) missed();
    }
  }

  #look(connection: Connection): void {
    this.#looking = setTimeout(() => {
      const looked = connection.ready ? connection.call((redis) => redis.ping()) : undefined;
      // Where it fails, the connection has been left and is made anew.
      void Promise.resolve(looked)
        .catch(() => undefined)
        .then(() => {
          if (!this.#closed) this.#look(connection);
        });
    }, LOOK);
    this.#looking.unref();
  }
}
