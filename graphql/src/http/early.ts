/**
 * What happens before a request is read: its size, its id, its key and the position it waits for.
 * Nothing of a body that is too large or of a caller who is unknown is ever parsed.
 */
import type { Position } from '@bivouac/events/language';
import { parsePosition } from '@bivouac/events/language';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

import { requestError } from '../errors/request-error.ts';
import type { Context } from '../request/context.ts';
import type { Viewer } from '../request/viewer.ts';
import type { Authentication } from './authentication.ts';

export interface EarlyOptions {
  readonly authentication: Authentication;
  readonly maxBodyBytes: number;
  readonly newRequestId: () => string;
  /** The context of a request that may go on. */
  readonly contextOf: (viewer: Viewer, requestId: string, atLeast: Position | undefined) => Context;
}

const REQUEST_ID = 'x-request-id';
const AT_LEAST = 'x-bivouac-at-least';

/** What is known of a request from its headers. */
export class Arrivals {
  readonly #ids = new WeakMap<Request, string>();
  readonly #contexts = new WeakMap<Request, Context>();
  readonly #options: EarlyOptions;

  constructor(options: EarlyOptions) {
    this.#options = options;
  }

  contextOf(request: Request): Context {
    const context = this.#contexts.get(request);
    // Every way into Yoga leads through onRequest; one that does not must not get data.
    if (context === undefined) throw requestError('UNAUTHENTICATED', 'The request has no key.');
    return context;
  }

  /** The Yoga plugin. */
  plugin(): Plugin {
    const { authentication, maxBodyBytes, newRequestId, contextOf } = this.#options;
    return {
      onRequest: (hook) => {
        const { request, fetchAPI } = hook;
        const given = request.headers.get(REQUEST_ID);
        const requestId = given !== null && /^[\w.:-]{1,128}$/.test(given) ? given : newRequestId();
        this.#ids.set(request, requestId);
        const refuse = (error: GraphQLError): void =>
          hook.endResponse(refusal(fetchAPI.Response, request, error));

        const tooLarge = lengthProblem(request, maxBodyBytes);
        if (tooLarge !== undefined) return refuse(tooLarge);
        const atLeast = request.headers.get(AT_LEAST) ?? undefined;
        if (atLeast !== undefined && !isPosition(atLeast)) {
          return refuse(
            requestError(
              'BAD_REQUEST',
              `The header ${AT_LEAST} is no position: expected what an earlier answer gave.`,
            ),
          );
        }
        const enter = (found: Viewer | GraphQLError): void => {
          if (found instanceof GraphQLError) refuse(found);
          else this.#contexts.set(request, contextOf(found, requestId, atLeast));
        };
        const found = authentication.authenticate(request.headers.get('authorization'), atLeast);
        if (!(found instanceof Promise)) return enter(found);
        return found.then(enter);
      },

      onRequestParse: ({ request, requestParser, setRequestParser, endResponse, fetchAPI }) => {
        if (request.method === 'POST' && !isJson(request)) {
          endResponse(
            refusal(
              fetchAPI.Response,
              request,
              requestError('BAD_REQUEST', 'Send the request as application/json.', {
                http: { status: 415 },
              }),
              415,
            ),
          );
          return;
        }
        if (requestParser === undefined || request.body === null) return;
        if (request.headers.get('content-length') !== null) return;
        // Without a length the body is counted while it comes.
        setRequestParser(async (unread) =>
          requestParser(
            new fetchAPI.Request(unread.url, {
              method: unread.method,
              headers: unread.headers,
              body: await boundedText(unread, maxBodyBytes),
            }),
          ),
        );
      },

      onResponse: ({ request, response }) => {
        const requestId = this.#ids.get(request);
        if (requestId !== undefined) response.headers.set(REQUEST_ID, requestId);
      },
    };
  }
}

function lengthProblem(request: Request, limit: number): GraphQLError | undefined {
  const length = request.headers.get('content-length');
  if (length === null) return undefined;
  if (!/^\d+$/.test(length)) {
    return requestError('BAD_REQUEST', 'The Content-Length is not a number.');
  }
  return Number(length) > limit ? bodyTooLarge(limit) : undefined;
}

async function boundedText(request: Request, limit: number): Promise<string> {
  const reader = request.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) return text + decoder.decode();
    bytes += chunk.value.byteLength;
    if (bytes > limit) throw bodyTooLarge(limit);
    text += decoder.decode(chunk.value, { stream: true });
  }
}

function bodyTooLarge(limit: number): GraphQLError {
  return requestError(
    'BODY_TOO_LARGE',
    `The body is larger than ${limit} bytes; nothing of it was read. Send less at once.`,
    { limit },
  );
}

function refusal(
  ResponseOf: typeof Response,
  request: Request,
  error: GraphQLError,
  status = statusOf(error),
): Response {
  const { http: _http, ...extensions } = error.extensions;
  const accept = request.headers.get('accept') ?? '';
  return new ResponseOf(JSON.stringify({ errors: [{ message: error.message, extensions }] }), {
    status,
    headers: {
      'content-type': accept.includes('application/graphql-response+json')
        ? 'application/graphql-response+json; charset=utf-8'
        : 'application/json; charset=utf-8',
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="bivouac"' } : {}),
    },
  });
}

function statusOf(error: GraphQLError): number {
  const { http } = error.extensions;
  const status = typeof http === 'object' && http !== null && 'status' in http ? http.status : 0;
  return typeof status === 'number' && status > 0 ? status : 400;
}

/** JSON only: the other media types can be sent by a foreign page without asking first. */
function isJson(request: Request): boolean {
  const type = request.headers.get('content-type') ?? '';
  return /^application\/(json|graphql\+json)\s*(;|$)/i.test(type);
}

function isPosition(text: string): boolean {
  try {
    parsePosition(text);
    return true;
  } catch {
    return false;
  }
}
