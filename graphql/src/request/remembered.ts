/**
 * Answers of queries, remembered in the cache that gateways share: for one key with its rights and reach
 * as they are now, one query with its variables, and the position of the last event that may concern it.
 * An answer is kept only where every part of it was read at that position or later, and given only to who
 * has not been told of a later one. Who asks is authenticated before; that costs what it costs.
 */
import { createHash } from 'node:crypto';

import type { Position } from '@bivouac/events/language';
import { type ExecutionResult, type GraphQLSchema, printSchema } from 'graphql';
import type { GraphQLParams } from 'graphql-yoga';
import { z } from 'zod';

import { isPosition } from '../http/early.ts';
import type { KnownPositions } from '../live/known-positions.ts';
import type { Services } from './services.ts';
import type { Viewer } from './viewer.ts';

/** Milliseconds an answer is kept, whatever is known of its position. */
const KEPT = 10_000;
/** Characters of the longest answer that is kept. */
const LONGEST = 64 * 1024;
/** Keys whose newest position is known, at most. */
const KEYS = 10_000;

export interface RememberedOptions {
  /** One that never fails: what is not found is asked for. */
  readonly cache: {
    get(key: string): Promise<string | undefined>;
    set(key: string, value: string, ttlMilliseconds: number): Promise<void>;
  };
  readonly positions: Pick<KnownPositions, 'of'>;
}

const Kept = z.strictObject({
  position: z.string().refine(isPosition),
  data: z.record(z.string(), z.unknown()),
});

/** Where an answer is kept, and what it has to be as new as. */
export interface Place {
  readonly name: string;
  readonly position: Position;
}

export class Remembered {
  readonly #options: RememberedOptions;
  /** Of two releases each has its own: their answers may differ. */
  readonly #schema: string;
  /** Of each key the newest position it was told, the one that asked longest ago first. */
  readonly #told = new Map<string, Position>();

  constructor(schema: GraphQLSchema, options: RememberedOptions) {
    this.#options = options;
    this.#schema = createHash('sha256').update(printSchema(schema)).digest('hex');
  }

  /** Where the answer to this belongs; undefined while nothing can be said of positions. */
  placeOf({ query, operationName, variables }: GraphQLParams, viewer: Viewer): Place | undefined {
    const position = this.#options.positions.of(viewer.principal);
    if (position === undefined) return undefined;
    const { keyId, memberId, acting, role, principal } = viewer;
    const { tenantId, homeId, kind, audience, reach, rights } = principal;
    const who = [keyId, memberId, acting, role, tenantId, homeId, kind, audience];
    const sets = [reach, rights].map((set) => (typeof set === 'string' ? set : [...set].sort()));
    const asked = [query, operationName ?? null, variables ?? null];
    const text = JSON.stringify([this.#schema, who, sets, asked, position]);
    return { name: `answer:${createHash('sha256').update(text).digest('base64url')}`, position };
  }

  /** The answer's data, where it is there and not older than anything that was asked for or told. */
  async find(
    { name }: Place,
    viewer: Viewer,
    { atLeast }: Services,
  ): Promise<ExecutionResult['data'] | undefined> {
    const text = await this.#options.cache.get(name);
    if (text === undefined) return undefined;
    const kept = keptIn(text);
    if (kept === undefined || kept.position < (atLeast ?? '')) return undefined;
    if (kept.position < (this.#told.get(viewer.keyId) ?? '')) return undefined;
    this.tell(viewer, kept.position);
    return kept.data;
  }

  /** Keeps an answer without errors, beside the request. */
  keep({ name, position }: Place, data: ExecutionResult['data'], { oldest }: Services): void {
    // What was read before the last event may not know it; it must not stay.
    if (oldest === undefined || oldest < position) return;
    const text = JSON.stringify({ position: oldest, data });
    if (text.length > LONGEST) return;
    void this.#options.cache.set(name, text, KEPT);
  }

  /** From now on the key is answered nothing older. */
  tell({ keyId }: Viewer, position: Position | undefined): void {
    const before = this.#told.get(keyId);
    const newest = (position ?? '') > (before ?? '') ? position : before;
    if (newest === undefined) return;
    this.#told.delete(keyId);
    this.#told.set(keyId, newest);
    if (this.#told.size <= KEYS) return;
    for (const oldest of this.#told.keys()) {
      this.#told.delete(oldest);
      return;
    }
  }
}

/** What others wrote is taken for nothing if it is not what we write. */
function keptIn(text: string): z.output<typeof Kept> | undefined {
  try {
    return Kept.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
