/**
 * The reactions of a service: consumes the bus, hands events to their reactions, and remembers how
 * far it came. Every event of every target once and in order, again after a crash where it had to.
 */
import { setMaxListeners } from 'node:events';

import type { Position } from '@bivouac/events/language';

import { partitionOf } from '../../bus/partition.ts';
import { type Consumer, type Mark, PARTITIONS } from '../../bus/port.ts';
import { isTransient, RuntimeError } from '../errors.ts';
import type { Lag } from '../follow/lag.ts';
import { noMetrics } from '../metrics/port.ts';
import { pause } from './attempts.ts';
import { Handlers } from './handlers.ts';
import { Intake } from './intake.ts';
import { reactionLags } from './lags.ts';
import { policyMeasures } from './measures.ts';
import { agree, CheckpointMirror, NOTHING, partOf, type ReactionCheckpoint } from './mirror.ts';
import { before, Parking } from './parking.ts';
import type {
  ParkedHome,
  ReactionMetrics,
  Reactions,
  ReactionsOptions,
  ReplayOutcome,
} from './reaction.ts';
import { replayHome } from './replay.ts';
import { Slots } from './slots.ts';
import { Waits } from './waits.ts';

/** Milliseconds of the injected clock between two checkpoints. */
const CHECKPOINT_INTERVAL = 1000;
/** Every partition. */
const ALL: readonly number[] = Array.from({ length: PARTITIONS }, (_, p) => p);
/** Times the last checkpoint is tried at a stop; what is not written comes again at the start. */
const LAST_TRIES = 3;

/**
 * Starts a service's reactions where its checkpoint stands.
 *
 * @throws RuntimeError `misconfigured` for reactions that cannot be run; what the store throws.
 */
export async function startReactions(options: ReactionsOptions): Promise<Reactions> {
  const running = new RunningReactions(options);
  await running.start();
  return running;
}

class RunningReactions implements Reactions {
  readonly #options: ReactionsOptions;
  readonly #stop = new AbortController();
  readonly #mirror: CheckpointMirror;
  readonly #parking = new Parking();
  readonly #handlers: Handlers;
  readonly #slots: Slots;
  readonly #intake: Intake;
  readonly #waits: Waits;
  readonly #random: () => number;
  readonly #counters = {
    handled: 0,
    failures: 0,
    transientFailures: 0,
    gapsRepaired: 0,
    eventsRecovered: 0,
    checkpoints: 0,
    overtaken: 0,
  };
  readonly #listeners = new Set<(partition: number) => void>();
  readonly #parkedListeners = new Set<(homeId: string) => void>();
  #consumer: Consumer | undefined;
  #failure: { readonly error: unknown } | undefined;
  #stopped: Promise<void> | undefined;
  #saving: Promise<unknown> = Promise.resolve();

  constructor(options: ReactionsOptions) {
    if (!/^[a-z][a-z0-9-]*$/.test(options.service)) {
      throw new RuntimeError('misconfigured', `${options.service} cannot name a service's stream`);
    }
    const { service, store, clock, registry, logger } = options;
    // Every pause listens to it.
    setMaxListeners(0, this.#stop.signal);
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#slots = new Slots(options.concurrency ?? 128);
    this.#handlers = new Handlers(options.reactions, registry);
    this.#mirror = new CheckpointMirror({
      service,
      store,
      clock,
      tenantId: options.tenantId ?? 'platform',
      overtaken: (known, now) => this.#overtaken(known, now),
    });
    this.#intake = new Intake({
      service: options.service,
      store,
      clock,
      registry,
      logger,
      slots: this.#slots,
      random: this.#random,
      stopping: this.#stop.signal,
      handlers: this.#handlers,
      parking: this.#parking,
      counters: this.#counters,
      measures: policyMeasures(options.metrics ?? noMetrics, options.reactions),
      parked: (homeId) => {
        for (const listener of this.#parkedListeners) listener(homeId);
      },
      fatal: (error) => this.#fail(error),
    });
    this.#waits = new Waits({
      ...{ service, store, clock },
      stopping: this.#stop.signal,
      marks: (partition) => this.#intake.marks(partition),
      consumer: () => this.#consumer,
      over: () => this.#over(),
    });
  }

  async start(): Promise<void> {
    await this.#load();
    const { bus, service, clock } = this.#options;
    this.#consumer = await bus.consume({
      group: service,
      from: (partition) => this.#assign(partition),
      deliver: (partition, messages) => this.#intake.deliver(partition, messages),
      kept: (partition) => this.#mirror.last?.marks[partition] ?? null,
      revoked: (partition) => this.#revoke(partition),
      leaving: () => this.#leave(),
      failed: (error) => this.#fail(error),
    });
    if (this.#failure !== undefined) {
      await this.#consumer.stop(0);
      throw this.#over();
    }
    void this.#save(clock);
  }

  get metrics(): ReactionMetrics {
    return {
      ...this.#counters,
      unfinished: this.#intake.unfinished,
      parkedHomes: this.#parking.size,
    };
  }

  lags(): Promise<ReadonlyMap<string, Lag>> {
    return reactionLags(
      this.#options,
      this.#options.reactions,
      this.#handlers,
      (p) => this.#intake.marks(p)?.mark,
    );
  }

  stop(deadlineMilliseconds: number): Promise<void> {
    this.#stopped ??= this.#end(deadlineMilliseconds);
    return this.#stopped;
  }

  assigned(): readonly number[] {
    if (this.#stop.signal.aborted) return [];
    return ALL.filter((p) => this.#has(p));
  }

  holds(homeId: string): boolean {
    return !this.#stop.signal.aborted && this.#has(partitionOf(homeId));
  }

  onAssigned(listener: (partition: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  onParked(listener: (homeId: string) => void): () => void {
    this.#parkedListeners.add(listener);
    return () => void this.#parkedListeners.delete(listener);
  }

  consumed(homeId: string): Mark {
    const mark = this.#intake.marks(partitionOf(homeId))?.mark ?? null;
    const parked = this.#parking.get(homeId);
    if (mark === null || parked === undefined || mark < parked.home.from) return mark;
    return before(parked.home.from) ?? null;
  }

  whenConsumed(homeId: string, position: Position, signal?: AbortSignal): Promise<void> {
    const reached = (): boolean => (this.consumed(homeId) ?? '') >= position;
    return this.#waits.forHome({ homeId, position, reached, parkedPasses: false, signal });
  }

  whenPassed(homeId: string, position: Position, signal?: AbortSignal): Promise<void> {
    const reached = (): boolean =>
      this.#parking.get(homeId) !== undefined || (this.consumed(homeId) ?? '') >= position;
    return this.#waits.forHome({ homeId, position, reached, parkedPasses: true, signal });
  }

  async idle(): Promise<void> {
    const { store } = this.#options;
    let same: boolean;
    do {
      await this.#waits.assigned();
      const { position: head } = await store.head();
      same = head === null || (await this.#waits.upTo(head));
    } while (this.#intake.unfinished > 0 || !same);
  }

  parked(): readonly ParkedHome[] {
    return this.#parking.list();
  }

  replayParked(homeId: string): Promise<ReplayOutcome> {
    return this.#replay(homeId, undefined);
  }

  skipParked(homeId: string, eventId: string): Promise<ReplayOutcome> {
    return this.#replay(homeId, eventId);
  }

  async #replay(homeId: string, skip: string | undefined): Promise<ReplayOutcome> {
    const { store, clock, logger } = this.#options;
    const outcome = await replayHome(
      {
        store,
        clock,
        random: this.#random,
        stopping: this.#stop.signal,
        slots: this.#slots,
        handlers: this.#handlers,
        parking: this.#parking,
        intake: this.#intake,
        counters: this.#counters,
      },
      homeId,
      skip,
    );
    logger.info({ home: homeId, skipped: skip, ...outcome }, 'a parked home was replayed');
    return outcome;
  }

  #has(partition: number): boolean {
    return this.#intake.marks(partition) !== undefined;
  }

  async #load(): Promise<void> {
    if ((await this.#mirror.load()) !== undefined) return;
    const { installAt, store } = this.#options;
    if (installAt === undefined) return;
    const mark = installAt === 'head' ? (await store.head()).position : installAt.after;
    const first = { marks: new Array<Mark>(PARTITIONS).fill(mark), parked: [] };
    // Written down before anything is consumed: "now" would be later after a crash.
    const saved = await this.#mirror.save((last) => (last === undefined ? first : undefined));
    if (saved === 'later') {
      throw new RuntimeError(
        'unavailable',
        `the first checkpoint of ${this.#options.service} could not be written: start it again`,
      );
    }
  }

  /** A partition came to this instance: it goes on from what was written of it last. */
  async #assign(partition: number): Promise<Mark> {
    await this.#loadPatiently();
    const { mark, parked } = partOf(this.#mirror.last ?? NOTHING, partition);
    this.#intake.assign(partition, mark);
    for (const home of parked) this.#parking.restore(home, partition);
    this.#changed(partition);
    return mark;
  }

  async #loadPatiently(): Promise<void> {
    const { clock } = this.#options;
    for (let again = 0; ; again++) {
      try {
        await this.#mirror.load();
        return;
      } catch (error) {
        if (!isTransient(error) || this.#stop.signal.aborted) throw error;
        await clock.sleep(pause(again, this.#random), this.#stop.signal);
      }
    }
  }

  #revoke(partition: number): void {
    this.#intake.revoke(partition);
    this.#changed(partition);
  }

  /**
   * Another instance has written of partitions that are here: it had them before and was slow to learn
   * of its loss, or it has them now and this one is. Either way what it wrote stands, and what was done
   * here behind it is done again.
   */
  #overtaken(known: ReactionCheckpoint, now: ReactionCheckpoint): void {
    const { logger, service } = this.#options;
    const partitions = ALL.filter((p) => this.#has(p) && !agree(known, now, p));
    if (partitions.length === 0) return;
    this.#counters.overtaken += partitions.length;
    logger.warn(
      { service, partitions },
      'another instance has written the checkpoint of partitions that are here: they go on from there',
    );
    for (const partition of partitions) {
      const { mark, parked } = partOf(now, partition);
      this.#intake.restart(partition, mark);
      for (const home of parked) this.#parking.restore(home, partition);
      this.#changed(partition);
    }
  }

  #changed(partition: number): void {
    this.#waits.wake();
    for (const listener of this.#listeners) listener(partition);
  }

  async #save(clock: ReactionsOptions['clock']): Promise<void> {
    for (;;) {
      await clock.sleep(CHECKPOINT_INTERVAL, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      if (!this.#intake.moved) continue;
      this.#saving = this.#write().catch((error: unknown) => this.#fail(error));
      await this.#saving;
    }
  }

  /** Writes what is done now; marks and parked homes are of one moment. */
  async #write(): Promise<void> {
    this.#intake.moved = false;
    const outcome = await this.#mirror.save((last) => this.#merged(last ?? NOTHING));
    if (outcome === 'later') this.#intake.moved = true;
    if (outcome === 'written') this.#counters.checkpoints++;
  }

  /** Of a partition that is elsewhere, or on its way back, what was written last stands. */
  #merged(last: ReactionCheckpoint): ReactionCheckpoint | undefined {
    const elsewhere = last.parked.filter((home) => !this.#has(partitionOf(home.homeId)));
    const merged = {
      marks: last.marks.map((mark, p) => {
        const own = this.#intake.marks(p);
        return own === undefined ? mark : own.mark;
      }),
      parked: [...this.#parking.list(), ...elsewhere],
    };
    return merged.marks.every((_, p) => agree(last, merged, p)) ? undefined : merged;
  }

  /** The group is about to be left: who takes over shall find everything that was done here. */
  async #leave(): Promise<void> {
    await this.#intake.work.end();
    await this.#saving;
    if (this.#failure === undefined) await this.#writeLast();
  }

  async #writeLast(): Promise<void> {
    for (let tries = 0; this.#intake.moved && tries < LAST_TRIES; tries++) await this.#write();
  }

  async #end(deadlineMilliseconds: number): Promise<void> {
    const { clock, service, logger } = this.#options;
    this.#stop.abort();
    this.#waits.end();
    const over = new AbortController();
    await Promise.race([
      Promise.all([this.#consumer?.stop(deadlineMilliseconds), this.#intake.work.end()]),
      clock.sleep(deadlineMilliseconds, over.signal),
    ]);
    over.abort();
    await this.#saving;
    if (this.#failure !== undefined) return;
    await this.#writeLast();
    if (this.#intake.moved) {
      logger.warn({ service }, 'the last checkpoint was not written: some events will come again');
    }
  }

  /** Stops at once, without another checkpoint. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined || this.#stopped !== undefined) return;
    this.#failure = { error };
    this.#options.logger.error({ err: error }, 'the reactions have stopped');
    void this.stop(0).catch(() => undefined);
    this.#options.onFailure(error);
  }

  #over(): RuntimeError {
    return new RuntimeError('shutting-down', `the reactions of ${this.#options.service} stopped`, {
      cause: this.#failure?.error,
    });
  }
}
