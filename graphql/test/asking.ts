/** Asking a gateway in tests, as a program would: over HTTP's shapes, by key. */
import {
  createGateway,
  type Gateway,
  type GatewayClock,
  type GatewayOptions,
  type GatewayParts,
} from '../src/index.ts';
import { world } from './services-in-memory.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Record<string, unknown> | null | undefined;
  readonly errors: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** Stands still until it is moved; nobody who sleeps on it wakes but by `wake`. */
class StandingClock implements GatewayClock {
  #now: number;
  #wakers: (() => void)[] = [];

  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  sleep(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve));
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** All deadlines pass. */
  wake(): void {
    for (const waker of this.#wakers.splice(0)) waker();
  }
}

/** What was logged. */
export interface Entry {
  readonly level: 'info' | 'warn' | 'error';
  readonly facts: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** What was taken from buckets; `full` ones refuse for so many milliseconds. */
class TakenCosts {
  readonly taken: { readonly bucket: string; readonly cost: number; readonly limit: object }[] = [];
  refuseFor: number | undefined;

  take(bucket: string, cost: number, limit: object) {
    this.taken.push({ bucket, cost, limit });
    const retryAfterMilliseconds = this.refuseFor ?? 0;
    return Promise.resolve({ taken: this.refuseFor === undefined, retryAfterMilliseconds });
  }
}

/** Rings for those who follow something. */
class Bells {
  readonly #listeners = new Map<string, Set<() => void>>();

  readonly listen = (id: string, listener: () => void): (() => void) => {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  };

  /** Something of this id may have changed. */
  ring(id: string): void {
    for (const listener of this.#listeners.get(id) ?? []) listener();
  }

  listeners(id: string): number {
    return this.#listeners.get(id)?.size ?? 0;
  }
}

/** A gateway over the small world, a way to ask it, and what it logged. */
export function setUp(options: GatewayOptions = {}, parts: Pick<GatewayParts, 'remembered'> = {}) {
  const small = world();
  const log: Entry[] = [];
  const write = (level: Entry['level']) => (facts: object, message: string) => {
    log.push({ level, facts: facts as Record<string, unknown>, message });
  };
  const clock = new StandingClock('2026-04-20T12:00:00.000Z');
  const cache = new TakenCosts();
  const bells = new Bells();
  const gateway = createGateway({
    caller: small.services,
    changes: bells,
    clock,
    logger: { info: write('info'), warn: write('warn'), error: write('error') },
    budget: {
      cache,
      account: { capacity: 1000, perSecond: 10 },
      staff: { capacity: 5000, perSecond: 100 },
    },
    options,
    ...parts,
  });
  const ask = asker(gateway, small.keyOf);
  return { ...small, gateway, cache, bells, clock, log, ask };
}

function asker(gateway: Gateway, keyOf: (name: string) => string) {
  /** @param as whose key; null for none. */
  return async (
    query: string,
    more: {
      readonly as?: string | null;
      readonly variables?: Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<Reply> => {
    const as = more.as === undefined ? 'Alpha' : more.as;
    const response = await gateway.yoga.fetch('http://localhost/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(as === null ? {} : { authorization: `Bearer ${keyOf(as)}` }),
        ...more.headers,
      },
      body: JSON.stringify({ query, variables: more.variables }),
    });
    const body = (await response.json()) as Partial<Reply>;
    return {
      status: response.status,
      headers: response.headers,
      data: body.data,
      errors: body.errors ?? [],
      extensions: body.extensions ?? {},
    };
  };
}

/** The codes of a reply's top-level errors. */
export function codesOf(reply: Reply): readonly unknown[] {
  return reply.errors.map((error) => error.extensions['code']);
}
