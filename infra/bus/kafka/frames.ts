/**
 * Connections that hand replies of brokers to the client whole. The client keeps what it has of a reply when
 * a connection ends in the middle of it, and puts what the next one says behind that: from then on it reads
 * nonsense, and what it throws then, nobody can catch. So it is never given a part of one.
 */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

import type { ISocketFactory } from 'kafkajs';

/** Of the length that stands before each reply. */
const LENGTH = 4;
/** As the client does it by itself. */
const KEEP_ALIVE_DELAY = 60_000;

/** What the client asks for a connection with; its own types say that it always is TLS. */
interface SocketArgs {
  readonly host: string;
  readonly port: number;
  readonly ssl?: ConnectionOptions | null;
  readonly onConnect: () => void;
}

/** Plain or TLS, as the client makes them by itself. */
export function plainSockets({ host, port, ssl, onConnect }: SocketArgs): Socket {
  const socket: Socket = ssl
    ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...ssl }, onConnect)
    : connect({ host, port }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY);
  return socket;
}

/** Sockets of a factory whose listeners hear whole replies alone. */
export function inFrames(sockets: ISocketFactory): ISocketFactory {
  return (options) => {
    const socket = sockets(options);
    const frames = new Frames();
    const emit = socket.emit.bind(socket);
    return Object.assign(socket, {
      emit: (event: string | symbol, ...args: unknown[]): boolean => {
        const [bytes] = args;
        if (event !== 'data' || !Buffer.isBuffer(bytes)) return emit(event, ...args);
        const whole = frames.take(bytes);
        return whole === undefined || emit(event, whole);
      },
    });
  };
}

/** What has come of a connection and was not handed on yet. */
export class Frames {
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes up to the end of the frame that is coming, as far as its length is known. */
  #needed = LENGTH;

  /** All whole frames that there are with these bytes, in one; undefined: there is none. */
  take(bytes: Buffer): Buffer | undefined {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    if (this.#size < this.#needed) return undefined;
    const [first, ...others] = this.#chunks;
    const all = others.length === 0 && first !== undefined ? first : Buffer.concat(this.#chunks);
    let end = 0;
    this.#needed = LENGTH;
    while (all.length - end >= LENGTH) {
      const length = LENGTH + all.readUInt32BE(end);
      if (all.length - end < length) {
        this.#needed = length;
        break;
      }
      end += length;
    }
    this.#chunks = end === all.length ? [] : [all.subarray(end)];
    this.#size = all.length - end;
    return end === 0 ? undefined : all.subarray(0, end);
  }
}
