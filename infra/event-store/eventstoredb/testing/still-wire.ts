/** A wire to a server that can fall still: connections stay, what is sent stands in it until it goes on. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class StillWire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #held = false;

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.on('data', (bytes) => other.write(bytes));
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.on('error', () => undefined);
        if (this.#held) one.pause();
      }
    });
  }

  static async to(port: number): Promise<StillWire> {
    const wire = new StillWire(port);
    await once(wire.#server.listen(0, '127.0.0.1'), 'listening');
    return wire;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('there is no port');
    return `esdb://127.0.0.1:${address.port}?tls=false`;
  }

  /** From now on nothing gets through, also on connections that are made later. */
  hold(): void {
    this.#held = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** What was sent meanwhile arrives. */
  goOn(): void {
    this.#held = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
