/**
 * Connections that hand replies of brokers to the client whole. The client keeps what it has of a reply when
 * a connection ends in the middle of it, and puts what the next one says behind that: from then on it reads
 * nonsense, and what it throws then, nobody can catch. So it is never given a part of one. Connections to
 * brokers that stand still are cut.
 */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

import type { ISocketFactory } from 'kafkajs';

import { Silence } from './silence.ts';

/** Of the length that stands before each reply. */
const LENGTH = 4;
/** Bytes of the longest reply: a fetch has at most five MiB, the topics of a large cluster less than this. */
const LONGEST = 64 * 1024 * 1024;
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

/** Sockets of a factory whose listeners hear whole replies alone; cut where a broker stands still. */
export function inFrames(sockets: ISocketFactory): ISocketFactory {
  return (options) => {
    const socket = sockets(options);
    const frames = new Frames();
    const silence = new Silence((error) => socket.destroy(error));
    const emit = socket.emit.bind(socket);
    const write = socket.write.bind(socket);
    return Object.assign(socket, {
      emit: (event: string | symbol, ...args: unknown[]): boolean => {
        const [bytes] = args;
        if (event === 'close') silence.end();
        if (event !== 'data' || !Buffer.isBuffer(bytes)) return emit(event, ...args);
        const { whole, count } = frames.take(bytes);
        silence.answered(count);
        const { host, port } = options;
        if (frames.isBroken) {
          const what = `what ${host}:${port} answers is no reply of a Kafka broker`;
          socket.destroy(new Error(`${what}: does it demand TLS, or none?`));
        }
        return whole === undefined || emit(event, whole);
      },
      // The client writes each request by one call, and gives nothing else with it but an encoding.
      write: (request: Uint8Array): boolean => {
        silence.asks(request);
        return write(request);
      },
    });
  };
}

/** What has come of a connection and was not handed on yet. */
export class Frames {
  /** Something came that no broker says: nothing more is taken. */
  isBroken = false;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes up to the end of the frame that is coming, as far as its length is known. */
  #needed = LENGTH;

  /** All whole frames that there are with these bytes, in one, and how many; undefined: there is none. */
  take(bytes: Buffer): { readonly whole: Buffer | undefined; readonly count: number } {
    if (this.isBroken) return { whole: undefined, count: 0 };
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    if (this.#size < this.#needed) return { whole: undefined, count: 0 };
    const [first, ...others] = this.#chunks;
    const all = others.length === 0 && first !== undefined ? first : Buffer.concat(this.#chunks);
    let [end, count] = [0, 0];
    this.#needed = LENGTH;
    while (all.length - end >= LENGTH) {
      const length = LENGTH + all.readUInt32BE(end);
      if (length > LONGEST) {
        this.isBroken = true;
        break;
      }
      if (all.length - end < length) {
        this.#needed = length;
        break;
      }
      end += length;
      count += 1;
    }
    this.#chunks = end === all.length ? [] : [all.subarray(end)];
    this.#size = all.length - end;
    return { whole: end === 0 ? undefined : all.subarray(0, end), count };
  }
}
