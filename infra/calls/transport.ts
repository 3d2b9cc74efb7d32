/** One exchange with one replica: a call is sent and what came of it is said, never thrown. */
import { type LookupFunction, isIP } from 'node:net';

import { type Dispatcher, errors, Pool } from 'undici';

import { TRACEPARENT } from '../tracing/traceparent.ts';
import { parsedJson } from './json.ts';
import { CALLS_PATH, DEADLINE_HEADER, MAX_REPLY_BYTES, ProblemSchema } from './wire.ts';

/** What came of sending a call once. */
export type Exchange =
  /** The service has answered. */
  | { readonly kind: 'answered'; readonly reply: unknown }
  /** Nothing reached the service. */
  | { readonly kind: 'unsent'; readonly why: string }
  /** This replica did nothing and another may. */
  | { readonly kind: 'turned-away'; readonly stopping: boolean; readonly why: string }
  /** This replica does not take such calls from us; nothing was done. */
  | { readonly kind: 'not-here'; readonly why: string }
  /** No answer: it may or may not have been done. */
  | { readonly kind: 'lost'; readonly why: string }
  /** The service met a defect, or the call is one. */
  | { readonly kind: 'defect'; readonly why: string };

export interface TransportOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  /** The address to connect to where the host name has several. */
  readonly address: string | undefined;
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca: string | undefined;
  /** Most connections at once. */
  readonly connections: number;
  /** The largest reply that is read, in bytes; MAX_REPLY_BYTES unless told. */
  readonly mostBytes?: number;
}

export interface Transport {
  exchange(call: {
    readonly contract: string;
    readonly token: string;
    readonly body: string;
    /** How long the caller waits, in milliseconds: told to the service. */
    readonly deadlineMs: number;
    /** The caller's span, where it has one. */
    readonly traceparent?: string | undefined;
    /** The caller waits no longer. */
    readonly late: AbortSignal;
  }): Promise<Exchange>;
  /** Ends the connections: when no call is under way on them, or at once. */
  close(when: 'idle' | 'now'): Promise<void>;
}

/** How long a connection may take to be made, in milliseconds. */
const CONNECT_MS = 3_000;

/** Connections to one replica, kept and used again. */
export function transportTo(options: TransportOptions): Transport {
  const most = options.mostBytes ?? MAX_REPLY_BYTES;
  const pool = new Pool(options.origin, {
    connections: options.connections,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    // The caller's deadline counts, and it aborts.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: most,
    connect: {
      timeout: CONNECT_MS,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.address === undefined ? {} : { lookup: always(options.address) }),
    },
  });
  let closed = false;
  return {
    exchange: ({ contract, token, body, deadlineMs, traceparent, late }) =>
      new Promise((resolve) => {
        // The host name has lost the address meanwhile.
        if (closed) {
          resolve({ kind: 'unsent', why: 'it is no replica any more' });
          return;
        }
        /** Set from the moment that it is written to a connection: until then nothing is done. */
        let sending: Dispatcher.DispatchController | undefined;
        let status = 0;
        const chunks: Buffer[] = [];
        const end = (exchange: Exchange): void => {
          late.removeEventListener('abort', giveUp);
          resolve(exchange);
        };
        const unanswered = (why: string): void => {
          end({ kind: sending === undefined ? 'unsent' : 'lost', why });
        };
        const giveUp = (): void => {
          unanswered('there was no answer by the deadline');
          sending?.abort(new Error('the caller waits no longer'));
        };
        late.addEventListener('abort', giveUp, { once: true });
        const headers = {
          'content-type': 'application/json',
          authorization: `Bearer ${token}`,
          [DEADLINE_HEADER]: String(Math.max(1, Math.floor(deadlineMs))),
          ...(traceparent !== undefined && { [TRACEPARENT]: traceparent }),
        };
        pool.dispatch(
          { method: 'POST', path: `${CALLS_PATH}${contract}`, headers, body },
          {
            onRequestStart: (controller) => {
              // It has waited for a connection for too long: it must not be sent any more.
              if (late.aborted) controller.abort(new Error('the caller waits no longer'));
              else sending = controller;
            },
            onResponseStart: (_controller, statusCode) => {
              status = statusCode;
            },
            onResponseData: (_controller, chunk) => {
              chunks.push(chunk);
            },
            onResponseEnd: () => {
              end(answerOf(status, Buffer.concat(chunks).toString('utf8')));
            },
            onResponseError: (_controller, error) => {
              // It would be as large again.
              if (error instanceof errors.ResponseExceededMaxSizeError) {
                end({
                  kind: 'defect',
                  why: `its reply is beyond ${most} bytes: ask for less at once`,
                });
              } else unanswered(reasonOf(error));
            },
          },
        );
      }),
    close: (when) => {
      closed = true;
      return when === 'idle' ? pool.close() : pool.destroy();
    },
  };
}

/** A look-up that knows one address. */
function always(address: string): LookupFunction {
  const family = isIP(address);
  return (_hostname, { all }, callback) => {
    if (all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}

function answerOf(status: number, text: string): Exchange {
  const parsed = parsedJson(text);
  if (status === 200) {
    return parsed === undefined
      ? { kind: 'defect', why: 'its reply is no JSON' }
      : { kind: 'answered', reply: parsed.json };
  }
  const problem = ProblemSchema.safeParse(parsed?.json);
  const why = problem.success ? problem.data.error.message : `it answered with status ${status}`;
  const code = problem.success ? problem.data.error.code : undefined;
  switch (status) {
    case 503:
      return { kind: 'turned-away', stopping: code === 'shutting-down', why };
    case 401:
    case 403:
    case 404:
      return { kind: 'not-here', why };
    case 400:
    case 413:
    case 500:
      return { kind: 'defect', why };
    // Of a proxy between us, too: whether it reached the service cannot be told.
    default:
      return { kind: 'lost', why };
  }
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Several addresses were tried, each with an error of its own.
  if ('errors' in error && Array.isArray(error.errors)) return codeOf(error.errors[0]);
  return '';
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  return code === '' || message.includes(code) ? message : `${message} (${code})`;
}
