/**
 * How an event type is declared: a stable name, one zod schema per version, the upcasters that lead
 * from every past version to the newest, and which version is written. Each context's folder holds
 * its declarations.
 */
import type { z } from 'zod';

import type { StoredEvent } from './envelope.ts';

/** What lies between a version and the next: `to` = `from` + 1. Pure and total. */
export interface Upcaster {
  readonly from: number;
  readonly to: number;
  /** Turns a body of version `from` into one of version `to`. */
  readonly upcast: (body: Record<string, unknown>) => Record<string, unknown>;
  /**
   * Writes what was decided in version `to` as version `from`. Needed for as long as some release may
   * be told to write `from`. What `from` cannot say is lost, for the writer as for every reader.
   */
  readonly downcast?: (body: Record<string, unknown>) => Record<string, unknown>;
}

/** A schema of an event's body: always an object, so that each field has an audience. */
export type BodySchema = z.ZodObject<z.core.$ZodShape>;

export interface EventDefinition<T extends string = string, S extends BodySchema = BodySchema> {
  readonly type: T;
  /** The newest version: the one decisions are made in, and every stored event is read as. */
  readonly version: number;
  /** The version this release writes unless it is told otherwise. */
  readonly writes: number;
  /** The schema of `version`. */
  readonly schema: S;
  /** Every version this release reads, also the newest. */
  readonly schemas: ReadonlyMap<number, BodySchema>;
  readonly upcasters: readonly Upcaster[];
  /** Makes a decided event. The body is validated when the host encodes it. */
  (data: z.output<S>): Decided<T, z.output<S>>;
}

/** An event as a decision yields it: not yet recorded. */
export interface Decided<T extends string = string, D = Record<string, unknown>> {
  readonly type: T;
  readonly data: D;
}

/** An event as followers, `evolve` and policies see it: decoded, in the newest version. */
export interface Recorded<T extends string = string, D = Record<string, unknown>> extends Omit<
  StoredEvent,
  'type' | 'data'
> {
  readonly type: T;
  readonly data: D;
}

/** The recorded form of a definition: `EventOf<typeof ContainerRunning>`. */
export type EventOf<E> =
  E extends EventDefinition<infer T, infer S> ? Recorded<T, z.output<S>> : never;

/** The decided form of a definition. */
export type DecidedOf<E> =
  E extends EventDefinition<infer T, infer S> ? Decided<T, z.output<S>> : never;

/**
 * Declares an event type.
 *
 * @param type `<context>.<PastTense>`; never changed or reused once written.
 * @param schema the schema of the newest version, each top-level field wrapped in an audience.
 * @param past past versions with their schemas, the upcasters between neighbours, and which version
 * this release writes by itself: one that the release before it reads.
 */
export function event<const T extends string, S extends BodySchema>(
  type: T,
  schema: S,
  past?: {
    readonly schemas: Readonly<Record<number, BodySchema>>;
    readonly upcasters: readonly Upcaster[];
    readonly writes: number;
  },
): EventDefinition<T, S> {
  const version =
    past === undefined ? 1 : Math.max(0, ...Object.keys(past.schemas).map(Number)) + 1;
  const schemas = new Map<number, BodySchema>();
  for (const [v, s] of Object.entries(past?.schemas ?? {})) schemas.set(Number(v), s);
  schemas.set(version, schema);
  const make = (data: z.output<S>): Decided<T, z.output<S>> => ({ type, data });
  return Object.assign(make, {
    ...{ type, version, schema, schemas },
    upcasters: past?.upcasters ?? [],
    writes: past?.writes ?? version,
  });
}

/** Whether an event is of a definition; narrows its body. */
export function is<T extends string, S extends BodySchema>(
  event: { readonly type: string },
  definition: EventDefinition<T, S>,
): event is Recorded<T, z.output<S>> {
  return event.type === definition.type;
}
