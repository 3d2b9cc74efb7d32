/** Connections to brokers that lose replies: what the broker did, the client never hears of. */
import { connect, type Socket } from 'node:net';

import type { ISocketFactory } from 'kafkajs';

/** The protocol's number of the request that writes. */
const PRODUCE = 0;

export class FaultyNetwork {
  /** Replies to writes that were lost. */
  lost = 0;
  #losing = 0;
  #sockets = new Set<Socket>();
  #waiting: (() => void)[] = [];

  /** The replies to the next so many writes are lost, and their connections with them. */
  loseReplies(count: number): void {
    this.#losing = count;
  }

  /** Resolves when so many replies were lost. */
  async whenLost(count: number): Promise<void> {
    while (this.lost < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Cuts every connection there is. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy(new Error('cut'));
  }

  readonly socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
    const socket = connect({ host, port }, onConnect);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    let writing = false;
    const write = socket.write.bind(socket);
    const emit = socket.emit.bind(socket);
    return Object.assign(socket, {
      write: (data: Buffer, ...rest: []) => {
        // Four bytes of length, then the number of the request.
        if (data.readInt16BE(4) === PRODUCE) writing = true;
        return write(data, ...rest);
      },
      emit: (event: string, ...args: unknown[]) => {
        if (event !== 'data' || !writing) return emit(event, ...args);
        writing = false;
        if (this.#losing === 0) return emit(event, ...args);
        this.#losing--;
        this.lost++;
        socket.destroy(Object.assign(new Error('the reply was lost'), { code: 'ECONNRESET' }));
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const resolve of waiting) resolve();
        return true;
      },
    });
  };
}
