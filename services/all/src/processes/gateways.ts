/** The replicas of the gateway as one: each request goes to the next, as a load balancer sends them. */
import { type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';

import type { Position } from '@bivouac/events/language';
import { RuntimeError } from '@bivouac/infra/runtime';
import { z } from 'zod';

import type { GatewayAccess } from '../installation.ts';

export interface GatewaysOptions {
  /** Base URLs of those that run now. */
  readonly urls: () => readonly string[];
  /** Resolves when every process has heard how late it is. */
  readonly heard: () => Promise<void>;
  /** Up to where the set had come when it was last at rest: what was done before is seen by whoever asks. */
  readonly settledAt: () => Position | undefined;
  readonly subscriptions: () => Promise<number>;
  readonly endSubscriptions: () => Promise<void>;
}

/** Why a connection failed, as Node's own client says it, and its fetch. */
const CodeSchema = z.object({ code: z.string() });
const CauseSchema = z.object({ cause: CodeSchema });
/** The header of docs/graphql.md. */
const AT_LEAST = 'x-bivouac-at-least';
const BROKEN: readonly string[] = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];

export class Gateways implements GatewayAccess {
  readonly #options: GatewaysOptions;
  #turn = 0;

  constructor(options: GatewaysOptions) {
    this.#options = options;
  }

  readonly yoga = {
    fetch: (url: string | URL, init?: RequestInit): Promise<Response> => this.#fetch(url, init),
  };

  get subscriptions(): Promise<number> {
    return this.#options.subscriptions();
  }

  endSubscriptions(): Promise<void> {
    return this.#options.endSubscriptions();
  }

  /** As a load balancer passes requests on; as with `yoga.fetch`, a broken connection means the next replica. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.#options.heard();
    const body = await bytesOf(request);
    for (let left = 2 * this.#options.urls().length; left > 0; left--) {
      if (await passOn(request, body, response, this.#next())) return;
    }
    response.destroy();
  }

  /**
   * A request whose connection breaks goes to the next replica: what it does has a key that makes it
   * one however often it comes.
   */
  async #fetch(url: string | URL, init?: RequestInit): Promise<Response> {
    await this.#options.heard();
    const { pathname, search } = new URL(url);
    const headers = new Headers(init?.headers);
    const settledAt = this.#options.settledAt();
    // As a client does that goes on from what it has done: a replica may remember who has a key.
    if (settledAt !== undefined && !headers.has(AT_LEAST)) headers.set(AT_LEAST, settledAt);
    for (let left = 2 * this.#options.urls().length; ; left--) {
      try {
        return await fetch(new URL(pathname + search, this.#next()), { ...init, headers });
      } catch (error) {
        const cause = CauseSchema.safeParse(error);
        if (left <= 0 || !cause.success || !BROKEN.includes(cause.data.cause.code)) throw error;
      }
    }
  }

  #next(): string {
    const urls = this.#options.urls();
    const url = urls[this.#turn++ % urls.length];
    if (url === undefined) throw new RuntimeError('unavailable', 'no gateway runs');
    return url;
  }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(z.instanceof(Buffer).parse(chunk));
  return Buffer.concat(chunks);
}

/**
 * Resolves when it has been answered and that is over; false: the connection broke before anything was, and it
 * goes to the next.
 */
function passOn(
  { method, headers, url }: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  base: string,
): Promise<boolean> {
  return new Promise((resolve) => {
    const through = httpRequest(new URL(url ?? '/', base), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      answer.once('close', () => {
        // Cut off in the middle: so is who reads it, instead of waiting for more.
        if (!answer.complete) response.destroy();
        resolve(true);
      });
    });
    through.on('error', (error) => {
      const code = CodeSchema.safeParse(error);
      const broken = code.success && BROKEN.includes(code.data.code);
      if (!broken) response.destroy();
      resolve(response.headersSent || response.destroyed);
    });
    // Who goes is gone for the replica, too.
    response.once('close', () => {
      through.destroy();
    });
    through.end(body);
  });
}
