/**
 * The plain request, which nearly every one is: JSON by POST, of a known length. It is answered from
 * Node's own request and response; Yoga makes a Request, a Response and a stream of each, which
 * costs as much as the answer. Whatever is not plain, or goes wrong, is Yoga's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

import { GraphQLError } from 'graphql';
import type { GraphQLParams } from 'graphql-yoga';

import type { Answers } from '../request/answers.ts';
import { type Arrivals, type Arrived, ACTING_ID, AT_LEAST, REQUEST_ID } from './early.ts';

export interface PlainOptions {
  readonly endpoint: string;
  readonly arrivals: Arrivals;
  readonly answers: Answers;
  /** Goes on where this leaves off. */
  readonly yoga: (
    request: IncomingMessage,
    response: ServerResponse,
    arrived: Arrived,
  ) => Promise<void> | void;
}

/** Media types a plain request may accept, and what it is answered in. */
const answeredIn = new Map([
  [undefined, 'application/json; charset=utf-8'],
  ['*/*', 'application/json; charset=utf-8'],
  ['application/json', 'application/json; charset=utf-8'],
  ['application/graphql-response+json', 'application/graphql-response+json; charset=utf-8'],
]);

export class PlainRequests {
  readonly #options: PlainOptions;

  constructor(options: PlainOptions) {
    this.#options = options;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { endpoint, arrivals, answers, yoga } = this.#options;
    const { headers } = request;
    const mediaType = answeredIn.get(headers.accept);
    if (mediaType === undefined || !isPlain(request, endpoint)) {
      return yoga(request, response, {});
    }
    const greeting = {
      requestId: textOf(headers[REQUEST_ID]),
      contentLength: headers['content-length'],
      atLeast: textOf(headers[AT_LEAST]),
      authorization: headers.authorization,
      actingId: textOf(headers[ACTING_ID]),
    };
    const requestId = arrivals.requestIdOf(greeting);
    const entering = arrivals.enter(greeting, requestId);
    const entered = entering instanceof Promise ? await entering : entering;
    if (entered instanceof GraphQLError) return yoga(request, response, { requestId, entered });

    const text = await textFrom(request);
    const params = paramsOf(text);
    if (params === undefined) {
      const unread = Object.assign(request, { body: new Again(text) });
      return yoga(unread, response, { requestId, entered });
    }
    const answer = await answers.answer(params, 'POST', entered);
    if (answer.errors !== undefined) {
      // Which status and headers errors have is Yoga's to know.
      const read = Object.assign(request, { body: params });
      return yoga(read, response, { requestId, entered, answer });
    }
    const body = JSON.stringify(answer);
    response.writeHead(200, {
      'content-type': mediaType,
      'content-length': Buffer.byteLength(body),
      [REQUEST_ID]: requestId,
    });
    response.end(body);
  }
}

function isPlain({ method, url, headers }: IncomingMessage, endpoint: string): boolean {
  const type = headers['content-type'];
  return (
    method === 'POST' &&
    url === endpoint &&
    headers['content-length'] !== undefined &&
    headers['content-encoding'] === undefined &&
    (type === 'application/json' || type?.startsWith('application/json;') === true)
  );
}

/** The whole body. Its length was held against the limit, and Node reads no more than that. */
function textFrom(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let first: Buffer | undefined;
    let more: Buffer[] | undefined;
    request.on('data', (chunk: Buffer) => {
      if (first === undefined) first = chunk;
      else (more ??= [first]).push(chunk);
    });
    request.on('end', () => {
      resolve((more === undefined ? (first ?? Buffer.of()) : Buffer.concat(more)).toString());
    });
    request.on('error', reject);
  });
}

/** A body that was read, to be read again. Yoga takes no text here that is empty or very long. */
class Again {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    yield Buffer.from(this.text);
  }
}

/** The parameters, where they are beyond doubt; Yoga says what is wrong with the others. */
function paramsOf(text: string): GraphQLParams | undefined {
  let params: unknown;
  try {
    params = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(params) || typeof params['query'] !== 'string') return undefined;
  for (const name in params) {
    const value = params[name];
    const fits =
      name === 'query' ||
      ((name === 'variables' || name === 'extensions') && (value === null || isObject(value))) ||
      (name === 'operationName' && (value === null || typeof value === 'string'));
    if (!fits) return undefined;
  }
  return params;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Node gives several headers of one name as one text; of the few it does not, none is ours. */
function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}
