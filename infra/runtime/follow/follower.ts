/**
 * Read models follow the log: one subscription for all services of the process, every event decoded
 * once and applied in log order, each service with a checkpoint of its own.
 */
import { setImmediate } from 'node:timers/promises';
import type { EventRegistry, Position, StoredEvent } from '@bivouac/events/language';

import { type EventStore, EventStoreError } from '../../event-store/port.ts';
import type { Dump } from '../../views/dump.ts';
import type { View } from '../../views/port.ts';
import type { ViewStore } from '../../views/store.ts';
import type { Clock } from '../clock.ts';
import type { ServiceDefinition } from '../definitions.ts';
import { isTransient, RuntimeError } from '../errors.ts';
import type { Logger } from '../logging.ts';
import { type Decoding, workOf } from './batches.ts';
import { FollowerError, messageOf, mismatchFailure } from './failure.ts';
import { Followed } from './followed.ts';
import { rebuildView } from './rebuild.ts';
import { boundReplayMemory } from './replay-memory.ts';
import { slicesOf, storedAppliersOf } from './slice.ts';

export interface FollowerOptions {
  readonly store: EventStore;
  readonly registry: EventRegistry;
  readonly services: readonly ServiceDefinition[];
  /** The view store of a service; asked once for each. The caller closes it after `stop`. */
  readonly views: (service: string) => ViewStore;
  readonly clock: Clock;
  /** Check bodies against their schemas; on by default. */
  readonly validate?: boolean;
  /** Following has stopped for good: a sentence that names the event and the remedy. */
  readonly onFailure: (error: FollowerError) => void;
  readonly logger?: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Events applied between two turns of the event loop. Default 250. */
  readonly batch?: number;
  /** Events applied between two commits while catching up. Default 50,000. */
  readonly commitEvery?: number;
}

export interface Follower {
  /** The read models have applied everything there was at the start. Rejects if they never will. */
  readonly caughtUp: Promise<void>;
  /** The last position applied; null: none. */
  position(service: string): Position | null;
  /** What it has done since the start: events gone past, and commits. */
  counts(service: string): { readonly passed: number; readonly commits: number };
  /** Waits until a position is applied, at most so many milliseconds: whether it is. */
  waitFor(service: string, position: Position, milliseconds: number): Promise<boolean>;
  /** The service's view. Stays valid across rebuilds. */
  view(service: string): View;
  /** Calls after each batch, with the position applied and the events as stored. Answers how to stop it. */
  onApplied(callback: (position: Position, events: readonly StoredEvent[]) => void): () => void;
  /**
   * Replays the log into a new read model and swaps it in when it has caught up; until then queries
   * see the old one. Where following had failed, it goes on. A second call joins the first.
   */
  rebuild(service: string): Promise<void>;
  dump(service: string): Dump;
  /** Ends following and commits. Safe to call twice. */
  stop(): Promise<void>;
}

/** How far commits may lag behind what is live, in milliseconds of the injected clock. */
const COMMIT_MILLISECONDS = 200;
/** Longest pause before following again after the store was unreachable. */
const MAX_BACKOFF_MILLISECONDS = 10_000;

/** Starts to follow. Throws a RuntimeError `misconfigured` for projections that cannot be run. */
export function startFollower(options: FollowerOptions): Follower {
  return new LogFollower(options);
}

class LogFollower implements Follower {
  readonly caughtUp: Promise<void>;
  readonly #options: FollowerOptions;
  readonly #decoding: Decoding;
  readonly #services: ReadonlyMap<string, Followed>;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<(position: Position, events: readonly StoredEvent[]) => void>();
  readonly #rebuilds = new Map<string, Promise<void>>();
  #resolveCaughtUp: () => void = () => undefined;
  #rejectCaughtUp: (error: Error) => void = () => undefined;
  #failure: FollowerError | undefined;
  #running: Promise<void>;
  #live = false;
  #uncommitted = 0;
  #commitScheduled = false;
  #stopped: Promise<void> | undefined;
  readonly #endReplay = boundReplayMemory();

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { services, registry, validate = true } = options;
    const names = services.map((service) => service.name);
    this.#decoding = { registry, slices: slicesOf(services, registry), services: names, validate };
    this.#services = new Map(
      services.map((service, i) => {
        const { name } = service;
        return [name, new Followed(name, i, options.views(name), storedAppliersOf(service))];
      }),
    );
    this.caughtUp = new Promise((resolve, reject) => {
      this.#resolveCaughtUp = resolve;
      this.#rejectCaughtUp = reject;
    });
    // Whoever does not wait for it has `onFailure`.
    this.caughtUp.catch(() => undefined);
    this.#running = this.#run();
  }

  position(service: string): Position | null {
    return this.#service(service).position;
  }

  counts(service: string): { readonly passed: number; readonly commits: number } {
    const { passed, commits } = this.#service(service);
    return { passed, commits };
  }

  async waitFor(service: string, position: Position, milliseconds: number): Promise<boolean> {
    const followed = this.#service(service);
    if (followed.position !== null && followed.position >= position) return true;
    const over = this.#failure !== undefined || this.#stopping.signal.aborted;
    if (milliseconds <= 0 || over) return false;
    const { reached, cancel } = followed.reach(position);
    const awake = new AbortController();
    void this.#options.clock.sleep(milliseconds, awake.signal).then(cancel);
    const answer = await reached;
    awake.abort();
    return answer;
  }

  view(service: string): View {
    return this.#service(service).store.view;
  }

  onApplied(callback: (position: Position, events: readonly StoredEvent[]) => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  rebuild(service: string): Promise<void> {
    const underWay = this.#rebuilds.get(service);
    if (underWay !== undefined) return underWay;
    const followed = this.#service(service);
    const rebuild = this.#rebuild(followed).finally(() => this.#rebuilds.delete(service));
    this.#rebuilds.set(service, rebuild);
    return rebuild;
  }

  dump(service: string): Dump {
    return this.#service(service).store.dump();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#giveUp(new RuntimeError('shutting-down', 'the read models stop following the log'));
    await this.#running;
    await Promise.allSettled([...this.#rebuilds.values()]);
    this.#commit();
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted;) {
      try {
        await this.#follow(() => (attempt = 0));
        if (!signal.aborted) logger?.warn('the subscription ended; following again');
      } catch (error) {
        if (signal.aborted) return;
        if (!isTransient(error)) {
          this.#fail(error);
          return;
        }
        logger?.warn({ error: messageOf(error) }, 'the log cannot be followed now; trying again');
      }
      const pause = Math.min(MAX_BACKOFF_MILLISECONDS, 50 * 2 ** Math.min(attempt++, 10));
      await clock.sleep(pause, signal);
    }
  }

  async #follow(onProgress: () => void): Promise<void> {
    const { store, batch = 250, commitEvery = 50_000 } = this.#options;
    const { signal } = this.#stopping;
    const { epoch } = await store.head();
    const lowest = this.#begin(epoch);
    const after = lowest?.store.checkpoint();
    try {
      const messages = store.subscribe({ batch, signal, ...(after && { after }) });
      for await (const message of messages) {
        if (signal.aborted) return;
        onProgress();
        if (message.kind === 'events') {
          this.#apply(message.events, epoch);
          if (this.#uncommitted >= commitEvery) await this.#commitInTurn();
          else if (this.#live) this.#commitSoon();
          await setImmediate();
        } else {
          this.#atEnd();
        }
      }
    } catch (error) {
      if (!(error instanceof EventStoreError) || error.code !== 'checkpoint-mismatch') throw error;
      throw mismatchFailure(lowest ? [lowest.name] : [], error.message, error);
    }
  }

  /** The service furthest behind, at whose checkpoint to begin. */
  #begin(epoch: string): Followed | undefined {
    let lowest: Followed | undefined;
    for (const followed of this.#services.values()) {
      const checkpoint = followed.store.checkpoint();
      if (checkpoint !== undefined && checkpoint.epoch !== epoch) {
        throw mismatchFailure(
          [followed.name],
          `its epoch is ${epoch}, theirs ${checkpoint.epoch}: a backup was restored`,
        );
      }
      followed.proveLater(checkpoint);
      if (lowest === undefined || (followed.position ?? '') < (lowest.position ?? '')) {
        lowest = followed;
      }
    }
    // What stands at the lowest is compared by the subscription itself.
    for (const followed of this.#services.values()) {
      if (followed.position === lowest?.position && sameEvent(followed, lowest)) {
        followed.proveLater(undefined);
      }
    }
    return lowest;
  }

  #apply(events: readonly StoredEvent[], epoch: string): void {
    const last = events.at(-1);
    if (last === undefined) return;
    const works = workOf(events, this.#decoding);
    for (const followed of this.#services.values()) followed.apply(events, works, epoch);
    this.#uncommitted += events.length;
    for (const followed of this.#services.values()) followed.announce();
    for (const listener of this.#listeners) listener(last.position, events);
  }

  #atEnd(): void {
    for (const followed of this.#services.values()) followed.checkEnd();
    if (this.#live) return;
    this.#commit();
    this.#live = true;
    this.#endReplay();
    this.#resolveCaughtUp();
  }

  #commitSoon(): void {
    if (this.#commitScheduled) return;
    this.#commitScheduled = true;
    const { signal } = this.#stopping;
    void this.#options.clock.sleep(COMMIT_MILLISECONDS, signal).then(() => {
      this.#commitScheduled = false;
      // Stopping commits once more, after the last event; failing has committed already.
      if (signal.aborted || this.#failure !== undefined) return;
      try {
        this.#commit();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #commit(): void {
    for (const followed of this.#services.values()) followed.commit();
    this.#uncommitted = 0;
  }

  /** As {@link #commit}, with a turn of the event loop after each: theirs are apart anyway. */
  async #commitInTurn(): Promise<void> {
    this.#uncommitted = 0;
    for (const followed of this.#services.values()) {
      followed.commit();
      await setImmediate();
    }
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    const failure =
      cause instanceof FollowerError
        ? cause
        : new FollowerError(
            [...this.#services.keys()],
            `the read models have stopped: ${messageOf(cause)}`,
            { cause },
          );
    this.#failure = failure;
    this.#live = false;
    this.#options.logger?.error({ services: failure.services }, failure.message);
    try {
      // Those that did not fail keep what they have applied; the one that did has gone back.
      this.#commit();
    } catch (error) {
      this.#options.logger?.error(
        { error: messageOf(error) },
        'the read models cannot be committed',
      );
    }
    this.#giveUp(failure);
    this.#options.onFailure(failure);
  }

  #giveUp(error: Error): void {
    this.#endReplay();
    this.#rejectCaughtUp(error);
    for (const followed of this.#services.values()) followed.giveUp();
  }

  async #rebuild(followed: Followed): Promise<void> {
    const { store, batch = 250, commitEvery = 50_000, logger } = this.#options;
    logger?.info({ service: followed.name }, 'rebuilding the read model');
    await rebuildView({
      store,
      decoding: this.#decoding,
      followed,
      index: [...this.#services.keys()].indexOf(followed.name),
      batch,
      commitEvery,
      signal: this.#stopping.signal,
      // A failed read model has nothing worth waiting for: its own place no longer matters.
      mustReach: () => (this.#failure === undefined ? followed.position : null),
    });
    followed.announce();
    logger?.info({ service: followed.name }, 'the rebuilt read model is in place');
    if (this.#failure === undefined || this.#stopping.signal.aborted) return;
    await this.#running;
    this.#failure = undefined;
    this.#running = this.#run();
  }

  #service(name: string): Followed {
    const followed = this.#services.get(name);
    if (followed !== undefined) return followed;
    throw new RuntimeError('misconfigured', `the service ${name} does not run in this process`);
  }
}

function sameEvent(a: Followed, b: Followed): boolean {
  return a.store.checkpoint()?.eventId === b.store.checkpoint()?.eventId;
}
