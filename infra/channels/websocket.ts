/** Channels over WebSockets (RFC 6455): one end listens, the other connects; both ask for signs of life. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

import WebSocket, { WebSocketServer } from 'ws';

import type { Clock } from '../runtime/clock.ts';
import { type Channel, type ChannelHandlers, type ChannelLimits, channelLimits } from './port.ts';

/** How long an orderly end may take before the socket is destroyed, in milliseconds. */
const CLOSING = 5_000;

export interface ConnectOptions {
  readonly url: string;
  readonly clock: Clock;
  /** PEM of the authorities to trust instead of the system's, for `wss:`. */
  readonly ca?: string;
  readonly limits?: Partial<ChannelLimits>;
  /** Called with the channel as soon as it stands, before any message. */
  readonly opened: (channel: Channel) => ChannelHandlers;
}

/** Connects; rejects where nobody answers as expected within the silence bound. */
export async function connectChannel(options: ConnectOptions): Promise<Channel> {
  const limits = { ...channelLimits, ...options.limits };
  const socket = new WebSocket(options.url, {
    maxPayload: limits.messageBytes,
    perMessageDeflate: false,
    followRedirects: false,
    handshakeTimeout: limits.silenceMilliseconds,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      reject(new Error(`${options.url} cannot be reached: ${error.message}`, { cause: error }));
    });
    // In the same turn, so that no message comes before its handler.
    socket.once('open', () => {
      const channel = new SocketChannel(socket, options.clock, limits);
      channel.open(options.opened(channel));
      resolve(channel);
    });
  });
}

export interface ListenOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** The only path that is answered. */
  readonly path: string;
  /** PEM. Without them the listener speaks plain WebSocket. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly clock: Clock;
  readonly limits?: Partial<ChannelLimits>;
  /** Most channels at once; further ones are turned away with 503. */
  readonly most: number;
  readonly accept: (channel: Channel) => ChannelHandlers;
}

export interface Listener {
  /** Where it listens, e.g. `ws://127.0.0.1:4100/agents`. */
  readonly url: string;
  /** Takes no more and ends those that are open. */
  close(): Promise<void>;
}

/** Listens for channels. Rejects where the address cannot be had. */
export async function listenForChannels(options: ListenOptions): Promise<Listener> {
  const limits = { ...channelLimits, ...options.limits };
  const { tls, host, path } = options;
  const server: Server = tls === undefined ? createServer() : createTlsServer({ ...tls });
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.messageBytes,
    perMessageDeflate: false,
  });
  const open = new Set<SocketChannel>();
  server.on('request', (_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain; charset=utf-8' });
    response.end('Agents connect here by WebSocket.\n');
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (request.url?.split('?')[0] !== path) return refuse(socket, '404 Not Found');
    if (open.size >= options.most) return refuse(socket, '503 Service Unavailable');
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const channel = new SocketChannel(webSocket, options.clock, limits, () => {
        open.delete(channel);
      });
      open.add(channel);
      channel.open(options.accept(channel));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'ws' : 'wss'}://${shown}:${port}${path}`,
    close: async () => {
      const ended = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      const closing = [...open].map((channel) => channel.ended);
      for (const channel of [...open]) channel.close();
      await Promise.all(closing);
      server.closeAllConnections();
      await ended;
    },
  };
}

function refuse(socket: Socket, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

class SocketChannel implements Channel {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #limits: ChannelLimits;
  readonly #over = new AbortController();
  /** Why it ends, where this end knows better than the socket. */
  #why: string | undefined;
  #heardAt: number;
  readonly ended: Promise<void>;

  constructor(
    socket: WebSocket,
    clock: Clock,
    limits: ChannelLimits,
    gone: () => void = () => undefined,
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.#limits = limits;
    this.#heardAt = clock.now();
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.#over.abort();
        gone();
        resolve();
      });
    });
  }

  open(handlers: ChannelHandlers): void {
    const socket = this.#socket;
    const alive = (): void => {
      this.#heardAt = this.#clock.now();
    };
    socket.on('ping', alive);
    socket.on('pong', alive);
    socket.on('message', (data, isBinary) => {
      alive();
      if (this.#why !== undefined) return;
      const value = isBinary ? undefined : parsed(data);
      if (value === undefined) this.#end(1007, 'a message was not JSON text');
      else handlers.message(value.json);
    });
    socket.on('error', (error) => {
      // What follows is `close`.
      this.#why ??= error.message;
    });
    socket.once('close', (code) => {
      handlers.closed(this.#why ?? `the peer closed it (${code})`);
    });
    void this.#beat();
  }

  send(value: unknown): Promise<void> {
    const socket = this.#socket;
    if (socket.readyState !== WebSocket.OPEN) return Promise.resolve();
    if (socket.bufferedAmount > this.#limits.queuedBytes) {
      this.#why ??= 'the peer takes too slowly what it is sent';
      socket.terminate();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      socket.send(JSON.stringify(value), () => {
        resolve();
      });
    });
  }

  pause(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.pause();
  }

  resume(): void {
    this.#heardAt = this.#clock.now();
    this.#socket.resume();
  }

  close(): void {
    this.#end(1000, 'this end closed it');
  }

  #end(code: number, why: string): void {
    this.#why ??= why;
    // A paused socket does not hear the peer's goodbye.
    this.#socket.resume();
    this.#socket.close(code);
    void this.#clock.sleep(CLOSING, this.#over.signal).then(() => {
      this.#socket.terminate();
    });
  }

  async #beat(): Promise<void> {
    const { heartbeatMilliseconds, silenceMilliseconds } = this.#limits;
    for (;;) {
      await this.#clock.sleep(heartbeatMilliseconds, this.#over.signal);
      if (this.#over.signal.aborted) return;
      if (this.#socket.isPaused) continue;
      if (this.#clock.now() - this.#heardAt >= silenceMilliseconds) {
        this.#why ??= `nothing was heard for ${silenceMilliseconds} ms`;
        this.#socket.terminate();
        return;
      }
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
    }
  }
}

function parsed(data: WebSocket.RawData): { readonly json: unknown } | undefined {
  try {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Uint8Array);
    return { json: JSON.parse(bytes.toString('utf8')) };
  } catch {
    return undefined;
  }
}
