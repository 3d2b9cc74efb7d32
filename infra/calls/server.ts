/**
 * Answers the contracts of one service over HTTP. A call is executed only when its token is believed,
 * its caller may speak for its principal, and its deadline is not over; whatever else it says is
 * judged by the host as in process.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

import type {
  CommandContract,
  CommandReply,
  QueryContract,
  QueryReply,
  ServiceCaller,
} from '@bivouac/events/language';
import type { z } from 'zod';

import type { Clock } from '../runtime/clock.ts';
import { isTransient, RuntimeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logging.ts';
import { inSpan } from '../tracing/spans.ts';
import { spanNamed, TRACEPARENT } from '../tracing/traceparent.ts';
import { readBody } from './body.ts';
import { jsonText, parsedJson, UnwritableError } from './json.ts';
import type { Caller, TrustedCallers } from './trusted.ts';
import {
  type CallProblem,
  CALLS_PATH,
  CommandMessageSchema,
  DEADLINE_HEADER,
  MAX_CALL_BYTES,
  MAX_DEADLINE_MS,
  QueryMessageSchema,
  statusOf,
  writtenReply,
} from './wire.ts';

export interface ServeCallsOptions {
  /** The service's name, for which tokens must be made. */
  readonly service: string;
  readonly contracts: readonly (CommandContract | QueryContract)[];
  /** Who answers: the host of the service. */
  readonly caller: ServiceCaller;
  readonly trusted: TrustedCallers;
  /** Network time. */
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface CallServer {
  /** Answers one request. Never rejects. */
  (request: IncomingMessage, response: ServerResponse): Promise<void>;
  /**
   * From now on new calls are turned away with 503; resolves when those under way have ended, each by
   * its deadline at the latest, or after so many milliseconds.
   */
  stop(withinMilliseconds?: number): Promise<void>;
}

/** How long a call without a deadline may take, in milliseconds. */
const OTHERWISE_MS = 15_000;

/** What is sent instead of a reply. */
class Problem extends Error {
  readonly code: CallProblem;
  constructor(code: CallProblem, message: string) {
    super(message);
    this.code = code;
  }
}

/** Serves the contracts of one service: `POST /calls/<contract name>`. */
export function serveCalls(options: ServeCallsOptions): CallServer {
  const { service, caller, clock, logger } = options;
  const contracts = new Map(options.contracts.map((contract) => [contract.name, contract]));
  let stopping = false;
  let underWay = 0;
  const quiet: (() => void)[] = [];

  const answer = async (request: IncomingMessage, late: AbortSignal): Promise<object> => {
    const name = pathOf(request).slice(CALLS_PATH.length);
    const who = await callerOf(request, options);
    const contract = contracts.get(name);
    if (contract === undefined) {
      throw new Problem(
        'unknown-contract',
        `${service} has no contract ${JSON.stringify(name.slice(0, 80))}: call the service that has it, or roll this one out first.`,
      );
    }
    const message = await messageIn(request, late);
    // Its caller has given up: whatever came of it, nobody would know.
    if (late.aborted) throw tooLate();
    // Of who is trusted alone: a stranger's span is nothing to go on from.
    const parent = spanNamed(request.headers[TRACEPARENT]);
    const serving = { name: `serve ${name}`, kind: 'server', parent } as const;
    if (contract.kind === 'command') {
      const { input, call } = parsed(CommandMessageSchema, message);
      mustSpeakFor(who, call.principal.kind);
      const command = () => caller.command(contract, input, call);
      return written(await (parent === undefined ? command() : inSpan(serving, command)));
    }
    const { input, call } = parsed(QueryMessageSchema, message);
    mustSpeakFor(who, call.principal.kind);
    const query = () => caller.query(contract, input, call);
    return written(await (parent === undefined ? query() : inSpan(serving, query)));
  };

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!pathOf(request).startsWith(CALLS_PATH) || request.method !== 'POST') {
      throw new Problem('unknown-contract', 'Calls are sent by POST to /calls/<contract name>.');
    }
    if (stopping) throw new Problem('shutting-down', 'This replica is stopping; ask another one.');
    const milliseconds = deadlineOf(request);
    const over = new AbortController();
    const late = new AbortController();
    const timer = clock.sleep(milliseconds, over.signal).then(() => {
      if (over.signal.aborted) return undefined;
      late.abort();
      throw tooLate();
    });
    try {
      const answering = answer(request, late.signal);
      // What comes too late is nobody's any more; that it failed then is still worth a line.
      answering.catch((error: unknown) => {
        if (late.signal.aborted && !(error instanceof Problem))
          logger.warn({ err: error, path: pathOf(request) }, 'a call failed after its deadline');
      });
      const reply = await Promise.race([answering, timer]);
      // Its connection must not keep a stopping replica.
      if (stopping) response.setHeader('connection', 'close');
      send(response, 200, jsonText(reply));
    } finally {
      over.abort();
    }
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    underWay += 1;
    try {
      await respond(request, response);
    } catch (error) {
      const problem = problemOf(error);
      if (problem.code === 'defect')
        logger.error({ err: error, path: pathOf(request) }, 'a call met a defect');
      if (problem.code === 'unauthenticated' || problem.code === 'forbidden')
        logger.warn({ path: pathOf(request), why: problem.message }, 'a call was refused');
      sendProblem(request, response, problem);
    } finally {
      underWay -= 1;
      if (underWay === 0) for (const resolve of quiet.splice(0)) resolve();
    }
  };

  return Object.assign(serve, {
    stop: async (withinMilliseconds?: number) => {
      stopping = true;
      if (underWay === 0) return;
      const ended = new Promise<void>((resolve) => quiet.push(resolve));
      if (withinMilliseconds === undefined) return ended;
      const over = new AbortController();
      await Promise.race([ended, clock.sleep(withinMilliseconds, over.signal)]);
      over.abort();
    },
  });
}

async function callerOf(
  request: IncomingMessage,
  { trusted, service, clock }: ServeCallsOptions,
): Promise<Caller> {
  const [, token] = /^Bearer ([\w.-]+)$/.exec(request.headers.authorization ?? '') ?? [];
  if (token === undefined) {
    throw new Problem(
      'unauthenticated',
      'The call has no token: callers sign one with the identity of IDENTITY_FILE.',
    );
  }
  const found = await trusted.callerOf(token, service, clock);
  if ('caller' in found) return found.caller;
  throw new Problem(
    'unauthenticated',
    `The call's token is not believed: ${found.refused}. See TRUSTED_CALLERS_FILE, and the clocks of both machines.`,
  );
}

function mustSpeakFor({ name, principals }: Caller, kind: Parameters<typeof principals.has>[0]) {
  if (principals.has(kind)) return;
  throw new Problem(
    'forbidden',
    `${name} may not speak for principals of kind ${kind}: see its entry in TRUSTED_CALLERS_FILE.`,
  );
}

async function messageIn(request: IncomingMessage, late: AbortSignal): Promise<unknown> {
  const body = await readBody(request, MAX_CALL_BYTES, late);
  if (body === 'too-large')
    throw new Problem(
      'too-large',
      `A call has at most ${MAX_CALL_BYTES} bytes: send less at once.`,
    );
  if (body === 'cut-off') throw tooLate();
  const message = parsedJson(body.text);
  if (message !== undefined) return message.json;
  throw new Problem('malformed', 'The body is no JSON, or nested too deeply to be a call.');
}

function parsed<S extends z.ZodType>(schema: S, message: unknown): z.output<S> {
  const result = schema.safeParse(message);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Problem(
    'malformed',
    `The call does not fit: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}. The caller is of another release: roll services out before what calls them.`,
  );
}

function written(reply: CommandReply<unknown> | QueryReply<unknown>): object {
  if (!reply.ok && reply.refusal.code === 'SHUTTING_DOWN')
    throw new Problem('shutting-down', reply.refusal.message);
  return writtenReply(reply);
}

function deadlineOf(request: IncomingMessage): number {
  const given = request.headers[DEADLINE_HEADER];
  if (given === undefined) return OTHERWISE_MS;
  if (typeof given !== 'string' || !/^\d{1,9}$/.test(given)) {
    throw new Problem(
      'malformed',
      `${DEADLINE_HEADER} is ${JSON.stringify(given)}: expected the milliseconds that are left.`,
    );
  }
  const milliseconds = Math.min(Number(given), MAX_DEADLINE_MS);
  if (milliseconds === 0) throw tooLate();
  return milliseconds;
}

function tooLate(): Problem {
  return new Problem('deadline', 'The call was not answered by its deadline.');
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof UnwritableError)
    return new Problem('defect', `The service's reply cannot be sent: ${error.message}.`);
  if (error instanceof RuntimeError && error.code === 'shutting-down')
    return new Problem('shutting-down', error.message);
  if (error instanceof RuntimeError && error.code === 'outcome-unknown')
    return new Problem('deadline', error.message);
  if (isTransient(error)) {
    return new Problem(
      'unavailable',
      'What the service needs cannot be reached just now; ask again.',
    );
  }
  return new Problem('defect', 'The service met a defect; its log has it.');
}

function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  { code, message }: Problem,
): void {
  if (response.headersSent || response.destroyed) return;
  if (code === 'unauthenticated') response.setHeader('www-authenticate', 'Bearer');
  if (statusOf[code] === 503) response.setHeader('retry-after', '1');
  // What was not read of the call must not be taken for the next one; a replica that stops wants rid of it.
  if (!request.complete || code === 'shutting-down') response.setHeader('connection', 'close');
  send(response, statusOf[code], JSON.stringify({ error: { code, message } }));
}

function send(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(text, 'utf8');
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
  });
  response.end(body);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?')[0] ?? '';
}
