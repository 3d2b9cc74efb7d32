/**
 * The services as one request may use them: with its principal, its correlation id and the position
 * it wants to have been applied. Checks once more what services answer: a tenant is a wall.
 */
import type {
  CommandContract,
  CommandReply,
  Position,
  Principal,
  QueryContract,
  Refusal,
  ServiceCaller,
} from '@bivouac/events/language';
import type { Changes, ChangesArgs } from '@bivouac/events/operations';
import type { GraphQLError } from 'graphql';
import type { z } from 'zod';

import { argumentPath, sentenceOf } from '../errors/input-names.ts';
import { requestError } from '../errors/request-error.ts';
import { given, isGiven } from '../language/given.ts';

/** What the gateway writes to; pino fits. */
export interface GatewayLogger {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface ServicesOptions {
  readonly caller: ServiceCaller;
  readonly principal: Principal;
  readonly requestId: string;
  /** The session in which a member of the provider acts for the account. */
  readonly acting: string | null;
  readonly logger: GatewayLogger;
  /** Read on views that have applied this position. */
  readonly atLeast: Position | undefined;
}

export class Services {
  readonly principal: Principal;
  readonly requestId: string;
  readonly #caller: ServiceCaller;
  /** Of all that comes of the request. */
  readonly correlationId: string;
  readonly #logger: GatewayLogger;
  readonly #loaded = new Map<string, Promise<unknown>>();
  readonly #readAt = new WeakMap<object, Position>();
  #atLeast: Position | undefined;
  #expected: string | undefined;
  /** Of the views that were read from; null where one of them did not say. */
  #oldest: Position | null | undefined;
  #newest: Position | undefined;

  constructor(options: ServicesOptions) {
    this.principal = options.principal;
    this.requestId = options.requestId;
    // No request id has a slash, so nobody can claim or hide a session. See docs/adr.
    this.correlationId =
      options.acting === null ? options.requestId : `${options.acting}/${options.requestId}`;
    this.#caller = options.caller;
    this.#logger = options.logger;
    this.#atLeast = options.atLeast;
  }

  /** From here on the request reads at this position or later. Positions compare as text. */
  raiseTo(position: Position | null | undefined): void {
    if (!isGiven(position) || (this.#atLeast !== undefined && position <= this.#atLeast)) return;
    this.#atLeast = position;
    // What was read before may be too old now.
    this.#loaded.clear();
  }

  /** What is read is of this position or later. */
  get atLeast(): Position | undefined {
    return this.#atLeast;
  }

  /** The oldest view that anything was read from; undefined where nothing was, or that is not known. */
  get oldest(): Position | undefined {
    return this.#oldest ?? undefined;
  }

  /** The newest position that the caller has been told of by what was read and done. */
  get newest(): Position | undefined {
    return this.#newest;
  }

  /** Whether the caller may see things of this tenant. */
  reaches(tenantId: string): boolean {
    const { reach } = this.principal;
    return reach === 'all' || reach.has(tenantId);
  }

  /** Asks a query. A refusal becomes a top-level error with a stable code. */
  async query<I extends z.ZodType, R extends z.ZodType>(
    contract: QueryContract<I, R>,
    input: z.input<I>,
  ): Promise<z.output<R>> {
    const reply = await this.#caller
      .query(contract, input, { principal: this.principal, atLeast: this.#atLeast })
      .catch((error: unknown) => {
        throw isTransient(error) ? unavailable() : error;
      });
    if (!reply.ok) throw queryError(reply.refusal);
    this.#readFrom(reply.position);
    this.#note(reply.result, reply.position);
    return reply.result;
  }

  /**
   * The version of something that was read: the revision of its last event by then, whatever has
   * happened since. A change that is decided on what was read can name it.
   *
   * @param read the changes of it, asked of the service that owns it.
   */
  async versionOf(thing: object, read: (page: ChangesArgs) => Promise<Changes | null>) {
    const until = this.#readAt.get(thing);
    const found = await read({ limit: 1, ...given({ until }) });
    const last = found?.changes.at(-1);
    if (last === undefined) throw new Error('something was read that has no events');
    return last.revision;
  }

  /** The next command is given only while its object has this version. */
  expect(version: string | null | undefined): void {
    this.#expected = version ?? undefined;
  }

  #readFrom(position: Position | null): void {
    if (position === null || this.#oldest === null) this.#oldest = null;
    else if (this.#oldest === undefined || position < this.#oldest) this.#oldest = position;
    this.#told(position);
  }

  #told(position: Position | null | undefined): void {
    if (isGiven(position) && position > (this.#newest ?? '')) this.#newest = position;
  }

  /** Where the view stood that something was read from. */
  #note(result: unknown, position: Position | null): void {
    if (position === null || typeof result !== 'object' || result === null) return;
    this.#readAt.set(result, position);
    if (!('items' in result) || !Array.isArray(result.items)) return;
    for (const item of result.items as readonly unknown[]) {
      if (typeof item !== 'object' || item === null || !('node' in item)) continue;
      if (typeof item.node === 'object' && item.node !== null) {
        this.#readAt.set(item.node, position);
      }
    }
  }

  /** Gives a command. Trouble that may pass is a refusal like any other; the rest is thrown. */
  async command<I extends z.ZodType, R extends z.ZodType>(
    contract: CommandContract<I, R>,
    input: z.input<I>,
    idempotencyKey: string,
  ): Promise<CommandReply<z.output<R>>> {
    try {
      const reply = await this.#caller.command(contract, input, {
        principal: this.principal,
        idempotencyKey,
        correlationId: this.correlationId,
        expectedRevision: this.#expected,
      });
      if (reply.ok) {
        this.raiseTo(reply.position);
        this.#told(reply.position);
      }
      return reply;
    } catch (error) {
      if (!isTransient(error)) throw error;
      return { ok: false, refusal: transientRefusal(error) };
    }
  }

  /** One read per request for the same key. */
  once<T>(key: string, read: () => Promise<T>): Promise<T> {
    const known = this.#loaded.get(key);
    if (known !== undefined) return known as Promise<T>;
    const reading = read();
    this.#loaded.set(key, reading);
    return reading;
  }

  /**
   * Whether the caller may see what a service answered, which belongs to these tenants. Services
   * deny by reach already: one that gets here in spite of that is a defect, dropped and logged.
   */
  sees(contract: QueryContract, ...tenantIds: readonly string[]): boolean {
    if (tenantIds.some((tenantId) => this.reaches(tenantId))) return true;
    this.#logger.error(
      {
        defect: 'foreign-answer',
        query: contract.name,
        tenantIds,
        principal: this.principal.id,
        requestId: this.requestId,
      },
      `${contract.name} answered a thing of a tenant its caller does not reach; it was dropped`,
    );
    return false;
  }
}

/** The codes of the host's errors after which the same request may succeed unchanged. */
const transientCodes = {
  contention: 'CONTENTION',
  unavailable: 'UNAVAILABLE',
  'outcome-unknown': 'OUTCOME_UNKNOWN',
  'shutting-down': 'SHUTTING_DOWN',
} as const;

type TransientError = Error & { readonly code: keyof typeof transientCodes };

function isTransient(error: unknown): error is TransientError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    Object.hasOwn(transientCodes, error.code)
  );
}

function transientRefusal(error: TransientError): Refusal {
  return {
    code: transientCodes[error.code],
    message: 'It could not be done just now. Send it again with the same idempotencyKey.',
    retryable: true,
  };
}

function unavailable(): GraphQLError {
  return requestError(
    'UNAVAILABLE',
    'The service that knows this cannot be reached just now. Send the request again.',
  );
}

function queryError(refusal: Refusal): GraphQLError {
  switch (refusal.code) {
    case 'NOT_YET':
      return requestError('NOT_YET', refusal.message);
    case 'FORBIDDEN':
    case 'NOT_ALLOWED':
      return requestError('FORBIDDEN', refusal.message);
    case 'INVALID_INPUT': {
      const argument = argumentPath(refusal.path ?? []);
      return requestError('INVALID_ARGUMENT', sentenceOf(refusal, argument), { argument });
    }
    case 'UNAVAILABLE':
    case 'SHUTTING_DOWN':
    case 'CONTENTION':
      return unavailable();
    default:
      return requestError('REFUSED', refusal.message, { reason: refusal.code });
  }
}
