/**
 * HTTP to an LXD daemon, over its unix socket or mutual TLS. Says of every failure whether the
 * daemon can have acted: before the request was sent it cannot, afterwards it may have.
 */
import { X509Certificate } from 'node:crypto';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { checkServerIdentity } from 'node:tls';
import type { Clock } from '../../driver-clock.ts';
import { DriverError } from '../../driver.ts';

/** Where the daemon listens. PEM texts, not paths. */
export type LxdEndpoint =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | {
      readonly kind: 'tls';
      readonly host: string;
      readonly port: number;
      readonly cert: string;
      readonly key: string;
      /** The authority, or the server's own certificate, which is then pinned. */
      readonly ca: string;
    };

export interface LxdRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its leading `/1.0` and encoded query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, with its length. */
  readonly content?: { readonly stream: Readable; readonly bytes: number };
  readonly deadlineMs: number;
}

export interface LxdReply {
  readonly status: number;
  readonly body: Buffer;
}

export type LxdTransport = (request: LxdRequest) => Promise<LxdReply>;

/** No reply of ours is longer; a container's output comes through here too. */
const MAX_REPLY_BYTES = 32 * 1024 * 1024;

export function openTransport(endpoint: LxdEndpoint, clock: Clock): LxdTransport {
  const base = baseOptions(endpoint);
  const send = endpoint.kind === 'tls' ? httpsRequest : httpRequest;

  return async ({ method, path, json, content, deadlineMs }) => {
    const what = `${method} ${path.replace(/\?.*/, '')}`;
    const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
    const bytes = body?.length ?? content?.bytes;
    let sent = false;
    let late = false;
    const abort = new AbortController();
    const timer = new AbortController();
    // Resolves only at the deadline; aborted below, and its rejection then means nothing.
    const deadline = clock.sleep(deadlineMs, timer.signal).then(
      () => {
        late = true;
        abort.abort();
      },
      () => undefined,
    );
    try {
      return await new Promise<LxdReply>((resolve, reject) => {
        const request = send(
          {
            ...base,
            method,
            path,
            signal: abort.signal,
            headers: {
              host: 'lxd',
              ...(body === undefined ? {} : { 'content-type': 'application/json' }),
              ...(content === undefined ? {} : { 'content-type': 'application/octet-stream' }),
              ...(bytes === undefined ? {} : { 'content-length': bytes }),
            },
          },
          (response) => void collect(response).then(resolve, reject),
        );
        request.on('error', reject);
        // A fresh connection each: one kept alive may die under a request that was never read.
        request.on('socket', (socket) => {
          const event = endpoint.kind === 'tls' ? 'secureConnect' : 'connect';
          socket.once(event, () => {
            sent = true;
          });
        });
        if (content !== undefined) {
          content.stream.on('error', reject);
          content.stream.pipe(request);
        } else request.end(body);
      });
    } catch (cause) {
      if (sent && method !== 'GET')
        throw new DriverError(
          'outcome-unknown',
          `${what}: LXD's reply ${late ? 'did not come in time' : 'was lost'}; look before asking again.`,
          { cause },
        );
      throw new DriverError(
        'engine-unavailable',
        `${what}: LXD ${late ? 'did not answer in time' : 'cannot be reached'} at ${nameOf(endpoint)}.`,
        { cause },
      );
    } finally {
      timer.abort();
      await deadline;
    }
  };
}

function baseOptions(endpoint: LxdEndpoint): RequestOptions & Record<string, unknown> {
  if (endpoint.kind === 'unix') return { socketPath: endpoint.socketPath, agent: false };
  const pinned = new X509Certificate(endpoint.ca);
  return {
    host: endpoint.host,
    port: endpoint.port,
    cert: endpoint.cert,
    key: endpoint.key,
    ca: [endpoint.ca],
    agent: false,
    minVersion: 'TLSv1.3',
    // LXD signs its own certificate, often for another name than it is reached by.
    checkServerIdentity: (host: string, seen: Parameters<typeof checkServerIdentity>[1]) =>
      pinned.raw.equals(seen.raw) ? undefined : checkServerIdentity(host, seen),
  };
}

async function collect(response: IncomingMessage): Promise<LxdReply> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_REPLY_BYTES) {
      response.destroy();
      throw new Error(`LXD's reply is longer than ${MAX_REPLY_BYTES} bytes.`);
    }
    parts.push(part);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(parts) };
}

function nameOf(endpoint: LxdEndpoint): string {
  return endpoint.kind === 'unix' ? endpoint.socketPath : `${endpoint.host}:${endpoint.port}`;
}
