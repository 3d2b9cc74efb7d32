/**
 * What happens before a request is read: its size, its id, its key and the position it waits for.
 * Nothing of a body that is too large or of a caller who is unknown is ever parsed.
 */
import type { Position } from '@bivouac/events/language';
import { parsePosition } from '@bivouac/events/language';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

import { requestError } from '../errors/request-error.ts';
import { isGiven } from '../language/given.ts';
import { idProblem } from '../language/node.ts';
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

export const REQUEST_ID = 'x-request-id';
export const AT_LEAST = 'x-bivouac-at-least';
/** Names the session in which a member of the provider acts for an account. */
export const ACTING_ID = 'acting-id';

/** What is known of a request before it is read; Yoga carries it along. */
export interface Arrived {
  requestId?: string;
  /** With what it may go on, or why it may not. */
  entered?: Context | GraphQLError;
  /** Its answer, where there is one already: then Yoga only shapes the response. */
  answer?: ExecutionResult;
}

/** The headers that count here. */
export interface Greeting {
  readonly requestId: string | null | undefined;
  readonly contentLength: string | null | undefined;
  readonly atLeast: string | null | undefined;
  readonly authorization: string | null | undefined;
  readonly actingId: string | null | undefined;
}

type OnRequest = NonNullable<Plugin<object, Arrived>['onRequest']>;
type RequestHook = Parameters<OnRequest>[0];
type OnRequestParse = NonNullable<Plugin<object, Arrived>['onRequestParse']>;
type ParseHook = Parameters<OnRequestParse>[0];

export class Arrivals {
  readonly #options: EarlyOptions;

  constructor(options: EarlyOptions) {
    this.#options = options;
  }

  /** The caller's own request id where it brings one that is fit for a log. */
  requestIdOf({ requestId }: Greeting): string {
    return isGiven(requestId) && /^[\w.:-]{1,128}$/.test(requestId)
      ? requestId
      : this.#options.newRequestId();
  }

  /** Whether it may go on. At once where its key is remembered. */
  enter(
    greeting: Greeting,
    requestId: string,
  ): Context | GraphQLError | Promise<Context | GraphQLError> {
    const { authentication, maxBodyBytes, contextOf } = this.#options;
    const tooLarge = lengthProblem(greeting.contentLength, maxBodyBytes);
    if (tooLarge !== undefined) return tooLarge;
    const atLeast = greeting.atLeast ?? undefined;
    if (atLeast !== undefined && !isPosition(atLeast)) return badPosition();
    const actingId = greeting.actingId ?? undefined;
    if (actingId !== undefined && idProblem('acting', actingId) !== undefined) return badActing();
    const found = authentication.authenticate(greeting.authorization ?? null, atLeast, actingId);
    if (found instanceof GraphQLError) return found;
    if (!(found instanceof Promise)) return contextOf(found, requestId, atLeast);
    return found.then((later) =>
      later instanceof GraphQLError ? later : contextOf(later, requestId, atLeast),
    );
  }

  /** Who a request that goes on and on is from by now; asked as it was when it entered. */
  async again(headers: Headers, requestId: string): Promise<Viewer | GraphQLError> {
    const greeting = { ...greetingOf(headers), contentLength: null, atLeast: null };
    const entered = await this.enter(greeting, requestId);
    return entered instanceof GraphQLError ? entered : entered.viewer;
  }

  /** The Yoga plugin. */
  plugin(): Plugin<object, Arrived> {
    return {
      onRequest: (hook) => this.#onRequest(hook),
      onRequestParse: (hook) => this.#beforeParsing(hook),
      onResponse: ({ serverContext, response }) => {
        const { requestId } = serverContext;
        if (requestId !== undefined) response.headers.set(REQUEST_ID, requestId);
      },
    };
  }

  #onRequest(hook: RequestHook): void | Promise<void> {
    const { request, serverContext } = hook;
    if (serverContext.entered === undefined) {
      const greeting = greetingOf(request.headers);
      serverContext.requestId = this.requestIdOf(greeting);
      const entered = this.enter(greeting, serverContext.requestId);
      if (entered instanceof Promise) return entered.then((later) => admit(hook, later));
      return admit(hook, entered);
    }
    return admit(hook, serverContext.entered);
  }

  #beforeParsing(hook: ParseHook): void {
    const { request, requestParser, fetchAPI } = hook;
    if (request.method === 'POST' && !isJson(request)) return refuse(hook, notJson());
    // With a length it was counted already. Looking at the body makes a stream of it, so it is not.
    if (requestParser === undefined || request.headers.get('content-length') !== null) return;
    if (request.body === null) return;
    // Without a length the body is counted while it comes.
    hook.setRequestParser(async (unread) =>
      requestParser(
        new fetchAPI.Request(unread.url, {
          method: unread.method,
          headers: unread.headers,
          body: await boundedText(unread, this.#options.maxBodyBytes),
        }),
      ),
    );
  }
}

function greetingOf(headers: Headers): Greeting {
  return {
    requestId: headers.get(REQUEST_ID),
    contentLength: headers.get('content-length'),
    atLeast: headers.get(AT_LEAST),
    authorization: headers.get('authorization'),
    actingId: headers.get(ACTING_ID),
  };
}

function admit(hook: RequestHook, entered: Context | GraphQLError): void {
  hook.serverContext.entered = entered;
  if (entered instanceof GraphQLError) refuse(hook, entered);
}

function lengthProblem(length: string | null | undefined, limit: number): GraphQLError | undefined {
  if (!isGiven(length)) return undefined;
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

/** Answers a request without looking further at it. */
function refuse(hook: RequestHook | ParseHook, error: GraphQLError): void {
  const { request, fetchAPI } = hook;
  const { http: _http, ...extensions } = error.extensions;
  const status = statusOf(error);
  const accept = request.headers.get('accept') ?? '';
  hook.endResponse(
    new fetchAPI.Response(JSON.stringify({ errors: [{ message: error.message, extensions }] }), {
      status,
      headers: {
        'content-type': accept.includes('application/graphql-response+json')
          ? 'application/graphql-response+json; charset=utf-8'
          : 'application/json; charset=utf-8',
        ...(status === 401 ? { 'www-authenticate': 'Bearer realm="bivouac"' } : {}),
      },
    }),
  );
}

function notJson(): GraphQLError {
  return requestError('BAD_REQUEST', 'Send the request as application/json.', {
    http: { status: 415 },
  });
}

function badPosition(): GraphQLError {
  return requestError(
    'BAD_REQUEST',
    `The header ${AT_LEAST} is no position: expected what an earlier answer gave.`,
  );
}

function badActing(): GraphQLError {
  return requestError(
    'BAD_REQUEST',
    `The header ${ACTING_ID} names no session: expected the id act_… that startActing gave.`,
  );
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

export function isPosition(text: string): boolean {
  try {
    parsePosition(text);
    return true;
  } catch {
    return false;
  }
}
