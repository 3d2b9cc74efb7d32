/**
 * A TCP proxy of a test's own, in front of a server or a Unix socket, that does to connections what networks
 * do: late, slow, held up, half-open (accepted and never heard of again), cut after so many bytes, reset.
 */
import { once } from 'node:events';
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';

import { type Clock, systemClock } from '../../runtime/clock.ts';
import { Connection, type Way, type Weather } from './connection.ts';

/** Made for each connection; asked of everything that goes over it, in order. */
export type Judge = (way: Way, bytes: Buffer) => 'pass' | 'cut';

export interface FaultyProxyOptions {
  readonly to: NetConnectOpts;
  /** Listens at a Unix socket there; absent: at a port of 127.0.0.1 that is free. */
  readonly at?: string;
  /** By which what is late arrives. */
  readonly clock?: Clock;
  readonly judge?: () => Judge;
}

interface Cut {
  readonly way: Way;
  left: number;
  readonly done: () => void;
}

export class FaultyProxy {
  /** Connections that have come so far, also those that were turned away. */
  accepted = 0;
  /** Those that `judge` or {@link cutAfter} have cut. */
  cuts = 0;
  readonly #options: FaultyProxyOptions;
  readonly #server: Server;
  readonly #weather: Weather = { latency: 0, rate: Infinity, held: false, swallowing: false };
  readonly #connections = new Set<Connection>();
  /** Of those that came while nothing was let through: nobody is behind them. */
  readonly #halfOpen = new Set<Socket>();
  readonly #cuts: Cut[] = [];
  #refusing = false;
  #waiting: (() => void)[] = [];

  private constructor(options: FaultyProxyOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#accept(socket);
    });
  }

  /** Starts one. What passes it passes at once, until it is told otherwise. */
  static async start(options: FaultyProxyOptions): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(options);
    const { at } = options;
    if (at === undefined) proxy.#server.listen(0, '127.0.0.1');
    else proxy.#server.listen(at);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** Where it listens. */
  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('it listens at no port');
    return address.port;
  }

  /** Connections that stand now. */
  get open(): number {
    return this.#connections.size + this.#halfOpen.size;
  }

  /** Resolves when so many have come. */
  async whenAccepted(count: number): Promise<void> {
    while (this.accepted < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** What is sent from now on arrives so many milliseconds later, in each direction. */
  delay(milliseconds: number): void {
    this.#weather.latency = milliseconds;
  }

  /** Each connection carries so many bytes a second from now on, in each direction. */
  throttle(bytesPerSecond: number): void {
    this.#weather.rate = bytesPerSecond;
  }

  /** Nothing arrives from now on, and nothing is lost: it arrives after {@link heal}. */
  hold(): void {
    this.#weather.held = true;
  }

  /**
   * From now on every connection is half-open: it stands, takes what is sent and never says a word. New ones
   * are accepted. After {@link heal} those over which something was lost are reset, as by a peer that
   * has been started anew.
   */
  swallow(): void {
    this.#weather.swallowing = true;
  }

  /** Resets every connection and, until {@link heal}, each that comes. */
  refuse(): void {
    this.#refusing = true;
    this.reset();
  }

  /** Ends every connection, by FIN. */
  cut(): void {
    for (const connection of [...this.#connections]) connection.cut();
    for (const socket of this.#halfOpen) socket.destroy();
  }

  /** Ends every connection, by RST. */
  reset(): void {
    for (const connection of [...this.#connections]) connection.reset();
    for (const socket of this.#halfOpen) socket.resetAndDestroy();
  }

  /**
   * So many more bytes arrive in a direction, whichever connections they take; the connection of the one behind
   * them is cut in front of it, then all is as before. Resolves when that has happened.
   */
  cutAfter(way: Way, bytes: number): Promise<void> {
    return new Promise((done) => this.#cuts.push({ way, left: bytes, done }));
  }

  /** The network is sound again. */
  heal(): void {
    Object.assign(this.#weather, { latency: 0, rate: Infinity, held: false, swallowing: false });
    this.#refusing = false;
    for (const socket of this.#halfOpen) socket.resetAndDestroy();
    for (const connection of [...this.#connections]) {
      if (connection.damaged) connection.reset();
      else connection.look();
    }
  }

  async close(): Promise<void> {
    this.cut();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    if (this.#weather.swallowing) {
      this.#halfOpen.add(client);
      client.on('error', () => undefined);
      client.once('close', () => this.#halfOpen.delete(client));
      client.resume();
      return;
    }
    const judge = this.#options.judge?.();
    const connection = new Connection({
      client,
      server: connect({ ...this.#options.to, allowHalfOpen: true }),
      weather: this.#weather,
      clock: this.#options.clock ?? systemClock,
      passes: (way, bytes) => this.#passes(way, bytes, judge),
      onClose: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }

  #passes(way: Way, bytes: Buffer, judge: Judge | undefined): number {
    if (judge?.(way, bytes) === 'cut') {
      this.cuts += 1;
      return 0;
    }
    const cut = this.#cuts.find((one) => one.way === way);
    if (cut === undefined) return bytes.length;
    const passing = Math.min(cut.left, bytes.length);
    cut.left -= passing;
    if (passing === bytes.length) return passing;
    this.#cuts.splice(this.#cuts.indexOf(cut), 1);
    this.cuts += 1;
    cut.done();
    return passing;
  }
}
