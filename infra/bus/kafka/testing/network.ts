/**
 * Connections to brokers that lose replies: what the broker did, the client never hears of. Or a broker's
 * consent becomes the refusal of one that comes together with others. Held, nothing
 * goes either way, and nobody is told: to the brokers a client is then as one whose process stands still.
 */
import { connect, type Socket } from 'node:net';

import type { ISocketFactory } from 'kafkajs';

/** What a socket says of the other side. */
const HELD: ReadonlySet<string> = new Set(['data', 'end', 'close', 'error']);
/** The protocol's number of the request that writes. */
const PRODUCE = 0;
/** That of the request by which a member of a group hears what is its own. */
const SYNC_GROUP = 14;
/** The protocol's code of a group whose members have to join once more. */
const REBALANCE_IN_PROGRESS = 27;
/** Where the code stands in such a reply: behind its length, its number and how long to wait. */
const ERROR_AT = 12;

export class FaultyNetwork {
  /** Replies to writes that were lost. */
  lost = 0;
  /** Joinings that were refused. */
  refused = 0;
  #losing = 0;
  #refusing = 0;
  /** What waits to go on while connections are held; undefined: they are not. */
  #held: (() => void)[] | undefined;
  #sockets = new Set<Socket>();
  #waiting: (() => void)[] = [];

  /** The replies to the next so many writes are lost, and their connections with them. */
  loseReplies(count: number): void {
    this.#losing = count;
  }

  /** The next so many joinings are refused, as by a group that comes together again and again. */
  refuseJoinings(count: number): void {
    this.#refusing = count;
  }

  /** Resolves when so many replies were lost. */
  async whenLost(count: number): Promise<void> {
    while (this.lost < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** From now on nothing goes over any connection, until {@link release}. */
  hold(): void {
    this.#held ??= [];
  }

  /** Everything that was held goes on, in order. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) go();
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
    const joining = new Set<number>();
    const write = socket.write.bind(socket);
    const emit = socket.emit.bind(socket);
    return Object.assign(socket, {
      write: (data: Buffer, ...rest: []) => {
        // Four bytes of length, then the number of the request.
        const request = data.readInt16BE(4);
        if (request === PRODUCE) writing = true;
        if (request === SYNC_GROUP) joining.add(data.readInt32BE(8));
        if (this.#held === undefined) return write(data, ...rest);
        this.#held.push(() => {
          if (!socket.destroyed) write(data, ...rest);
        });
        return true;
      },
      emit: (event: string, ...args: unknown[]) => {
        if (this.#held !== undefined && HELD.has(event)) {
          this.#held.push(() => emit(event, ...args));
          return true;
        }
        const [reply] = args;
        if (event === 'data' && Buffer.isBuffer(reply) && joining.delete(reply.readInt32BE(4))) {
          if (this.#refusing > 0) {
            this.#refusing--;
            this.refused++;
            reply.writeInt16BE(REBALANCE_IN_PROGRESS, ERROR_AT);
          }
        }
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
