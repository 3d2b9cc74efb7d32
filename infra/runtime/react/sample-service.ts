/**
 * A service for tests of reactions: one kind of event, reactions whose effects are idempotent by
 * event id, and a process that can be killed between any two steps.
 */
import {
  event,
  eventRegistry,
  type Recorded,
  staff,
  type StoredEvent,
} from '@bivouac/events/language';
import { z } from 'zod';

import { embeddedBus } from '../../bus/index.ts';
import type { Bus } from '../../bus/port.ts';
import { sampleEvent } from '../../event-store/contract/samples.ts';
import { type EventStore, EventStoreError } from '../../event-store/port.ts';
import type { ManualClock } from '../clock.ts';
import type { Reaction, ReactionLogger, Reactions, ReactionsOptions } from './reaction.ts';
import { startReactions } from './reactions.ts';

export const Happened = event(
  'things.Happened',
  z.strictObject({ target: staff(z.string()), n: staff(z.int()) }),
);
export const Ignored = event('things.Ignored', z.strictObject({}));
export const registry = eventRegistry([Happened, Ignored]);

/** Appends events of homes, one stream per home. */
export class Writer {
  readonly store: EventStore;
  readonly #heads = new Map<string, bigint>();
  #count = 0;

  constructor(store: EventStore) {
    this.store = store;
  }

  async append(homeid: string, target: string, fields: Partial<StoredEvent> = {}) {
    const n = this.#count++;
    const body = registry.encode(Happened({ target, n }));
    return this.#write(homeid, { type: Happened.type, ...body, ...fields }, n);
  }

  async ignored(homeid: string) {
    const body = registry.encode(Ignored({}));
    return this.#write(homeid, { type: Ignored.type, ...body }, this.#count++);
  }

  async #write(homeid: string, fields: Partial<StoredEvent>, n: number) {
    const event = sampleEvent(String(n), { homeid, ...fields });
    const stream = `thing-${homeid}`;
    const expected = this.#heads.get(stream) ?? 'no-stream';
    const { revision, position } = await this.store.append(stream, expected, [event]);
    this.#heads.set(stream, revision);
    return { id: event.id, position, homeid, target: fields.type === Ignored.type ? null : n };
  }
}

/** Effects outside of any process: first handling of each event by target, in order. */
export class World {
  /** By home, reaction and target: the positions of events in the order of their first effect. */
  readonly effects = new Map<string, string[]>();
  readonly done = new Set<string>();
  /** Every call of a handler that came to its end, repetitions included. */
  readonly calls: string[] = [];
  readonly faults: string[] = [];
  readonly #running = new Set<string>();

  enter(key: string): void {
    if (this.#running.has(key)) this.faults.push(`two handlers at once for ${key}`);
    this.#running.add(key);
  }

  leave(key: string): void {
    this.#running.delete(key);
  }

  effect(key: string, event: Recorded): void {
    this.calls.push(event.id);
    const id = `${key} ${event.id}`;
    if (this.done.has(id)) return;
    this.done.add(id);
    this.effects.set(key, [...(this.effects.get(key) ?? []), event.position]);
  }

  /** What was killed runs no more. */
  killed(): void {
    this.#running.clear();
  }
}

export const keyOf = (reaction: string, home: string, target: string): string =>
  `${home} ${reaction} ${target}`;

/** A reaction to `Happened` by its `target` field; `during` may wait or throw. */
export function sampleReaction(
  name: string,
  world: World,
  during: (event: Recorded) => Promise<void> | void = () => undefined,
): Reaction {
  const target = (event: Recorded): string => String(event.data['target']);
  return {
    name,
    types: new Set([Happened.type]),
    target,
    react: async (event) => {
      const key = keyOf(name, event.homeid, target(event));
      world.enter(key);
      try {
        await during(event);
        world.effect(key, event);
      } finally {
        world.leave(key);
      }
    },
  };
}

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: object;
}

export interface ProcessOptions {
  readonly store: EventStore;
  readonly clock: ManualClock;
  readonly reactions: readonly Reaction[];
  readonly seed?: number;
  readonly bus?: (bus: Bus) => Bus;
  readonly more?: Partial<ReactionsOptions>;
}

/** One process of the service. */
export class Process {
  readonly lines: LogLine[];
  readonly failures: unknown[];
  readonly reactions: Reactions;
  readonly #bus: Bus;
  readonly #life: { alive: boolean };

  private constructor(
    reactions: Reactions,
    bus: Bus,
    life: { alive: boolean },
    said: { lines: LogLine[]; failures: unknown[] },
  ) {
    this.reactions = reactions;
    this.#bus = bus;
    this.#life = life;
    this.lines = said.lines;
    this.failures = said.failures;
  }

  static async start(options: ProcessOptions): Promise<Process> {
    const { store, clock, seed } = options;
    const life = { alive: true };
    const own = mortal(store, life);
    const inner = embeddedBus({ store: own, clock, ...(seed === undefined ? {} : { seed }) });
    const bus = options.bus?.(inner) ?? inner;
    const lines: LogLine[] = [];
    const failures: unknown[] = [];
    const reactions = await startReactions({
      service: 'sample',
      bus,
      store: own,
      registry,
      clock,
      logger: loggerTo(lines),
      onFailure: (error) => failures.push(error),
      random: () => 0.5,
      ...options.more,
      reactions: options.reactions.map((r) => ({
        ...r,
        react: whileAlive((event) => r.react(event), life),
      })),
    });
    return new Process(reactions, inner, life, { lines, failures });
  }

  /** Ends it between two steps: nothing it does from now on has an effect. */
  async kill(): Promise<void> {
    this.#life.alive = false;
    await this.#bus.close();
  }

  async stop(deadline = 1000): Promise<void> {
    await this.reactions.stop(deadline);
    await this.#bus.close();
  }
}

function loggerTo(lines: LogLine[]): ReactionLogger {
  const at =
    (level: LogLine['level']) =>
    (fields: object, message: string): void =>
      void lines.push({ level, message, fields });
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

function whileAlive(react: Reaction['react'], life: { alive: boolean }): Reaction['react'] {
  return async (event) => {
    if (!life.alive) return new Promise(() => undefined);
    await react(event);
    if (!life.alive) return new Promise(() => undefined);
  };
}

/** The store as a process sees it: nothing of it is written after its death. */
function mortal(store: EventStore, life: { alive: boolean }): EventStore {
  return {
    append: (...args) =>
      life.alive
        ? store.append(...args)
        : Promise.reject(new EventStoreError('unavailable', 'the process is dead')),
    readStream: (...args) => store.readStream(...args),
    readAll: (...args) => store.readAll(...args),
    readHome: (...args) => store.readHome(...args),
    subscribe: (...args) => store.subscribe(...args),
    head: () => store.head(),
    close: () => store.close(),
  };
}

/** A turn of the event loop: everything that needs no time has happened. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Moves the clock on until the work is done. */
export async function passing<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let settled = false;
  const end = work.finally(() => (settled = true));
  end.catch(() => undefined);
  for (let i = 0; i < 10_000 && !settled; i++) {
    await turn();
    if (!settled) clock.advance(500);
  }
  return end;
}
