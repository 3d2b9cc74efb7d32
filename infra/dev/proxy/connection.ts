/** One connection through the proxy: two sockets, and what is on its way between them. */
import type { Socket } from 'node:net';

import type { Clock } from '../../runtime/clock.ts';

/** `up`: from who connects to the server; `down`: back. */
export type Way = 'up' | 'down';

/** What the network does to bytes just now; the same for every connection of a proxy. */
export interface Weather {
  /** Milliseconds that bytes are on their way, in each direction. */
  latency: number;
  /** Bytes a second that a connection carries, in each direction. */
  rate: number;
  /** Nothing arrives; what is sent waits. */
  held: boolean;
  /** Nothing arrives, and what is sent is lost, though it is acknowledged. */
  swallowing: boolean;
}

export interface ConnectionOptions {
  readonly client: Socket;
  readonly server: Socket;
  readonly weather: Weather;
  readonly clock: Clock;
  /** Asked of everything before it goes on: how many of its bytes do; fewer than all, and it is cut there. */
  readonly passes: (way: Way, bytes: Buffer) => number;
  readonly onClose: () => void;
}

/** On its way, until it is due; `end`: whoever sent has nothing more to say. */
interface Sent {
  readonly due: number;
  readonly bytes: Buffer | 'end';
}

/** Bytes on their way at which the sender is made to wait, as by a full window. */
const WINDOW = 1 << 20;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #ways: Readonly<Record<Way, OneWay>>;
  #closed = false;

  constructor(options: ConnectionOptions) {
    const { client, server } = options;
    this.#options = options;
    const cut = (): void => {
      this.cut();
    };
    this.#ways = {
      up: new OneWay('up', client, server, options, cut),
      down: new OneWay('down', server, client, options, cut),
    };
    for (const socket of [client, server]) {
      // Why it ended is nothing to the other side: it ends.
      socket.on('error', () => undefined);
      socket.once('close', (failed) => {
        // In order, what was sent before still arrives.
        if (failed || (client.destroyed && server.destroyed)) this.cut();
      });
    }
  }

  /** The weather has changed. */
  look(): void {
    this.#ways.up.look();
    this.#ways.down.look();
  }

  /** Something that was sent over it is lost: it can never be whole again. */
  get damaged(): boolean {
    return this.#ways.up.lost || this.#ways.down.lost;
  }

  /** Ends it for both sides; what is on its way is lost. */
  cut(): void {
    this.#end((socket) => socket.destroy());
  }

  /** The same by RST: both sides are told `ECONNRESET`. */
  reset(): void {
    this.#end((socket) => socket.resetAndDestroy());
  }

  #end(how: (socket: Socket) => void): void {
    if (this.#closed) return;
    this.#closed = true;
    const { client, server, onClose } = this.#options;
    how(client);
    how(server);
    this.#ways.up.stop();
    this.#ways.down.stop();
    onClose();
  }
}

class OneWay {
  /** Something was swallowed. */
  lost = false;
  readonly #way: Way;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #options: ConnectionOptions;
  readonly #cut: () => void;
  readonly #sent: Sent[] = [];
  readonly #over = new AbortController();
  /** Until then the line is busy with what was sent before. */
  #busyUntil = 0;
  #waiting = 0;
  #carrying = false;

  constructor(way: Way, from: Socket, to: Socket, options: ConnectionOptions, cut: () => void) {
    this.#way = way;
    this.#from = from;
    this.#to = to;
    this.#options = options;
    this.#cut = cut;
    from.on('data', (bytes) => {
      this.#take(Buffer.from(bytes));
    });
    from.once('end', () => {
      this.#put('end');
    });
    to.on('drain', () => {
      this.look();
    });
  }

  look(): void {
    if (!this.#carrying) void this.#carry();
  }

  stop(): void {
    this.#over.abort();
  }

  #take(bytes: Buffer): void {
    if (this.#options.weather.swallowing) {
      this.lost = true;
      return;
    }
    this.#waiting += bytes.length;
    if (this.#waiting > WINDOW) this.#from.pause();
    this.#put(bytes);
  }

  #put(bytes: Buffer | 'end'): void {
    const { weather, clock } = this.#options;
    const size = bytes === 'end' ? 0 : bytes.length;
    this.#busyUntil = Math.max(clock.now(), this.#busyUntil) + (1000 * size) / weather.rate;
    this.#sent.push({ due: this.#busyUntil + weather.latency, bytes });
    this.look();
  }

  /** Hands on what is due, in order; who comes while this waits need not wait too. */
  async #carry(): Promise<void> {
    const { weather, clock } = this.#options;
    this.#carrying = true;
    for (let next = this.#sent[0]; next !== undefined; next = this.#sent[0]) {
      if (this.#over.signal.aborted || weather.held || this.#to.writableNeedDrain) break;
      const left = next.due - clock.now();
      if (left > 0) {
        await clock.sleep(left, this.#over.signal);
        continue;
      }
      this.#sent.shift();
      this.#hand(next.bytes);
    }
    this.#carrying = false;
  }

  #hand(bytes: Buffer | 'end'): void {
    if (bytes === 'end') {
      this.#to.end();
      return;
    }
    this.#waiting -= bytes.length;
    if (this.#waiting <= WINDOW) this.#from.resume();
    if (this.#options.weather.swallowing) {
      this.lost = true;
      return;
    }
    const passing = this.#options.passes(this.#way, bytes);
    if (passing === bytes.length) this.#to.write(bytes);
    else if (passing === 0) this.#cut();
    else this.#to.write(bytes.subarray(0, passing), this.#cut);
  }
}
