/** LXD's REST interface as calls: sync answers parsed, async ones awaited, errors made ours. */
import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Clock } from '../../driver-clock.ts';
import { DriverError, type DriverErrorCode } from '../../driver.ts';
import { openTransport, type LxdEndpoint, type LxdRequest } from './transport.ts';
import { Envelope, Operation } from './wire.ts';

/** LXD answered, and the answer was no. */
export class LxdRefusal extends DriverError {
  /** LXD's HTTP-like code. */
  readonly status: number;
  constructor(status: number, what: string, sentence: string) {
    super(codeOf(status, sentence), `${what}: LXD says: ${sentence.replace(/[.\s]*$/, '')}.`);
    this.status = status;
  }
}

export interface LxdClient {
  readonly clock: Clock;
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  /** As `get`, but undefined where LXD has no such thing. */
  find<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined>;
  /** A file of an instance or log, as it is. */
  raw(path: string): Promise<Buffer>;
  /** Changes something and waits until that is done; gives the operation's metadata. */
  change(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    json?: unknown,
    options?: ChangeOptions,
  ): Promise<Operation | undefined>;
  /** Waits for an operation that another request began. */
  wait(id: string, deadlineMs?: number): Promise<Operation>;
}

export interface ChangeOptions {
  readonly deadlineMs?: number;
  /** Sent instead of JSON. */
  readonly content?: { readonly stream: Readable; readonly bytes: number };
}

/** A plain answer comes at once or not at all; LXD's own work is in operations. */
const REPLY_MS = 30_000;
const OPERATION_MS = 120_000;

export function openLxdClient(endpoint: LxdEndpoint, clock: Clock): LxdClient {
  const send = openTransport(endpoint, clock);

  async function call(request: LxdRequest): Promise<z.output<typeof Envelope>> {
    const what = `${request.method} ${request.path.replace(/\?.*/, '')}`;
    const { body } = await send(request);
    const answer = Envelope.safeParse(parseJson(body));
    if (!answer.success)
      throw new DriverError('engine-failed', `${what}: the answer is not one of LXD's.`);
    if (answer.data.type === 'error')
      throw new LxdRefusal(answer.data.error_code, what, answer.data.error);
    return answer.data;
  }

  async function get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const answer = await call({ method: 'GET', path, deadlineMs: REPLY_MS });
    const parsed = schema.safeParse('metadata' in answer ? answer.metadata : undefined);
    if (parsed.success) return parsed.data;
    const why = z.prettifyError(parsed.error);
    throw new DriverError(
      'engine-failed',
      `GET ${path}: LXD answered what we do not know: ${why}.`,
    );
  }

  async function find<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
    try {
      return await get(path, schema);
    } catch (error) {
      if (error instanceof LxdRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  async function wait(id: string, deadlineMs = OPERATION_MS): Promise<Operation> {
    const seconds = Math.ceil(deadlineMs / 1000);
    const path = `/1.0/operations/${encodeURIComponent(id)}/wait?timeout=${seconds}`;
    let operation: Operation;
    try {
      const deadline = deadlineMs + REPLY_MS;
      const answer = await call({ method: 'GET', path, deadlineMs: deadline });
      operation = Operation.parse('metadata' in answer ? answer.metadata : undefined);
    } catch (cause) {
      // A daemon that restarted has forgotten its operations; what they did stays.
      const message = `LXD's operation ${id} cannot be followed; look before asking again.`;
      throw new DriverError('outcome-unknown', message, { cause });
    }
    if (operation.status_code < 200)
      throw new DriverError(
        'outcome-unknown',
        `LXD's operation ${id} was not done after ${seconds} s; look before asking again.`,
      );
    return operation;
  }

  return {
    clock,
    get,
    find,
    wait,
    async raw(path) {
      const { status, body } = await send({ method: 'GET', path, deadlineMs: REPLY_MS });
      if (status !== 200) throw new LxdRefusal(status, `GET ${path}`, `status ${status}`);
      return body;
    },
    async change(method, path, json, { deadlineMs, content } = {}) {
      const answer = await call({
        method,
        path,
        ...(json === undefined ? {} : { json }),
        ...(content === undefined ? {} : { content }),
        deadlineMs: content === undefined ? REPLY_MS : (deadlineMs ?? OPERATION_MS),
      });
      if (answer.type !== 'async') return undefined;
      const begun = Operation.parse(answer.metadata);
      const operation = await wait(begun.id, deadlineMs);
      if (operation.status_code >= 400)
        throw new OperationFailed(`${method} ${path.replace(/\?.*/, '')}`, operation);
      return operation;
    },
  };
}

/** The operation ran and failed. */
export class OperationFailed extends LxdRefusal {
  readonly operation: Operation;
  constructor(what: string, operation: Operation) {
    super(operation.status_code, what, operation.err);
    this.operation = operation;
  }
}

/** What a daemon says while it ends: not of what it was asked, but that its database is gone already. */
const ENDING =
  /database is closed|bad connection|no available dqlite|shutting down|context canceled/i;

function codeOf(status: number, sentence: string): DriverErrorCode {
  if (status === 503 || ENDING.test(sentence)) return 'engine-unavailable';
  if (/no space left|quota exceeded/i.test(sentence)) return 'not-possible';
  return 'engine-failed';
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
