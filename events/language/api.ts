/**
 * What a service lets the outside call: command and query contracts. They live in each service's
 * `src/api/`, import nothing but this package, and are all the gateway knows of a service.
 */
import type { z } from 'zod';

import type { Audience } from './audience.ts';
import type { Refusal } from './decision.ts';
import type { Position } from './envelope.ts';
import type { Right, Rights } from './rights.ts';

/** Who calls. Made by the gateway from a key, or by the host for its own policies and timers. */
export interface Principal {
  /** Lasting pseudonym, e.g. `key_…`, `per_…`, `policy:billing.subscribe`, `node:nod_…`. */
  readonly id: string;
  readonly kind: 'member' | 'key' | 'policy' | 'timer' | 'node' | 'system';
  /**
   * The member a key belongs to. A retry is the member's: by whichever of its keys it comes, it is
   * the same command. Events record the key all the same, as their actor.
   */
  readonly memberId?: string | undefined;
  /** The tenant it belongs to, and that tenant's home. */
  readonly tenantId: string;
  readonly homeId: string;
  /** Its own tenant and everything below; `all` for the provider's staff and for the host itself. */
  readonly reach: 'all' | ReadonlySet<string>;
  /** What it may do there; asked of people (`member`, `key`) only. */
  readonly rights: Rights;
  readonly audience: Audience;
}

/**
 * Who may use a contract. `tenant`: whoever reaches what it is about. `staff`: the provider's people.
 * Both need a right, which may depend on the input. `internal`: policies, timers and nodes only.
 */
export type Access<I> =
  | { readonly access: 'internal'; readonly right?: undefined }
  | { readonly access: 'tenant' | 'staff'; readonly right: Right | ((input: I) => Right) };

interface Contract<K extends string, I extends z.ZodType, R extends z.ZodType> {
  readonly kind: K;
  /** `<context>.<Imperative>` of a command, `<context>.<Noun>` of a query. */
  readonly name: string;
  readonly input: I;
  readonly result: R;
  readonly access: 'tenant' | 'staff' | 'internal';
  /** Undefined for what is internal. A method, so that one list holds contracts of any input. */
  rightFor(input: z.output<I>): Right | undefined;
}

/** A command: changes one stream. */
export interface CommandContract<
  I extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> extends Contract<'command', I, R> {
  /** See `route` of {@link command}; undefined where the contract says nothing. */
  routeFor(input: z.input<I>): string | undefined;
}

/** A query: reads the service's view, changes nothing. */
export type QueryContract<
  I extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> = Contract<'query', I, R>;

type ContractSpec<I extends z.ZodType, R extends z.ZodType> = {
  readonly name: string;
  readonly input: I;
  readonly result: R;
} & Access<z.output<I>>;

/**
 * @param spec.route what the command is about, where that is not the id its input names first: commands
 *   of one key come to one replica of the service, which is faster. Nothing depends on it.
 */
export function command<I extends z.ZodType, R extends z.ZodType>({
  route,
  ...spec
}: ContractSpec<I, R> & {
  readonly route?: (input: z.input<I>) => string;
}): CommandContract<I, R> {
  return { kind: 'command', ...contract(spec), routeFor: (input) => route?.(input) };
}

export function query<I extends z.ZodType, R extends z.ZodType>(
  spec: ContractSpec<I, R>,
): QueryContract<I, R> {
  return { kind: 'query', ...contract(spec) };
}

function contract<I extends z.ZodType, R extends z.ZodType>({
  right,
  ...spec
}: ContractSpec<I, R>): Omit<Contract<string, I, R>, 'kind'> {
  return { ...spec, rightFor: (input) => (typeof right === 'function' ? right(input) : right) };
}

/** What a command answers. */
export type CommandReply<R> =
  | {
      readonly ok: true;
      readonly result: R;
      /** The stream it changed. */
      readonly stream: string;
      readonly revision: bigint;
      /** Position of its last event; a query can wait for it. Absent for a no-op. */
      readonly position: Position | undefined;
      /** This key was answered before; the result is the first one, without secrets. */
      readonly repeated: boolean;
    }
  | { readonly ok: false; readonly refusal: Refusal };

/** Said with every command. */
export interface CommandCall {
  readonly principal: Principal;
  /** Chosen by the caller; the same key and input give the same result. */
  readonly idempotencyKey: string;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
  /**
   * Only while this is the last revision of the stream, in decimal; else it is refused with
   * VERSION_CONFLICT. A repeat gets its first answer all the same.
   */
  readonly expectedRevision?: string | undefined;
}

/** Said with every query. */
export interface QueryCall {
  readonly principal: Principal;
  /** Answer on a view that has applied this position; waits (bounded), else NOT_YET. */
  readonly atLeast?: Position | undefined;
}

export type QueryReply<R> =
  | { readonly ok: true; readonly result: R; readonly position: Position | null }
  | { readonly ok: false; readonly refusal: Refusal };

/** How the gateway reaches the services: in process when embedded, HTTP between processes. */
export interface ServiceCaller {
  command<I extends z.ZodType, R extends z.ZodType>(
    contract: CommandContract<I, R>,
    input: z.input<I>,
    call: CommandCall,
  ): Promise<CommandReply<z.output<R>>>;
  query<I extends z.ZodType, R extends z.ZodType>(
    contract: QueryContract<I, R>,
    input: z.input<I>,
    call: QueryCall,
  ): Promise<QueryReply<z.output<R>>>;
}

/** A page of a list, ordered by the cursor (a position or what sorts like one), never by id. */
export interface Page<T> {
  readonly items: readonly { readonly cursor: string; readonly node: T }[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
}
