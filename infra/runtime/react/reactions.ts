/**
 * The reactions of a service: consumes the bus, hands events to their reactions, and remembers how
 * far it came. Every event of every target once and in order, again after a crash where it had to.
 */
import { setMaxListeners } from 'node:events';

import type { Position } from '@bivouac/events/language';

import { partitionOf } from '../../bus/partition.ts';
import { type Consumer, type Mark, PARTITIONS } from '../../bus/port.ts';
import { RuntimeError } from '../errors.ts';
import { Handlers } from './handlers.ts';
import { Intake } from './intake.ts';
import { readHorizon } from './horizon.ts';
import type { PartitionMarks } from './marks.ts';
import { CheckpointMirror, type ReactionCheckpoint } from './mirror.ts';
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

/** Milliseconds of the injected clock between two checkpoints. */
const CHECKPOINT_INTERVAL = 1000;
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
  readonly #random: () => number;
  readonly #counters = {
    handled: 0,
    failures: 0,
    transientFailures: 0,
    gapsRepaired: 0,
    eventsRecovered: 0,
    checkpoints: 0,
  };
  #checkpoint: ReactionCheckpoint = { marks: [], parked: [] };
  #loaded = new Set<number>();
  #consumer: Consumer | undefined;
  #failure: { readonly error: unknown } | undefined;
  #stopped: Promise<void> | undefined;
  #saving: Promise<unknown> = Promise.resolve();
  #awaitingAssignment: (() => void)[] = [];

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
    });
    this.#intake = new Intake({
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
      fatal: (error) => this.#fail(error),
    });
  }

  async start(): Promise<void> {
    await this.#load();
    this.#loaded = new Set(Array.from({ length: PARTITIONS }, (_, p) => p));
    const { bus, service, clock } = this.#options;
    this.#consumer = await bus.consume({
      group: service,
      from: (partition) => this.#assign(partition),
      deliver: (partition, messages) => this.#intake.deliver(partition, messages),
      kept: (partition) => this.#checkpoint.marks[partition] ?? null,
      revoked: (partition) => this.#intake.revoke(partition),
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

  stop(deadlineMilliseconds: number): Promise<void> {
    this.#stopped ??= this.#end(deadlineMilliseconds);
    return this.#stopped;
  }

  consumed(homeId: string): Mark {
    const mark = this.#intake.marks(partitionOf(homeId))?.mark ?? null;
    const parked = this.#parking.get(homeId);
    if (mark === null || parked === undefined || mark < parked.home.from) return mark;
    return before(parked.home.from) ?? null;
  }

  whenConsumed(homeId: string, position: Position, signal?: AbortSignal): Promise<void> {
    const reached = (): boolean => (this.consumed(homeId) ?? '') >= position;
    return this.#whenHome(homeId, position, reached, signal);
  }

  whenPassed(homeId: string, position: Position, signal?: AbortSignal): Promise<void> {
    return this.#whenHome(
      homeId,
      position,
      () => this.#parking.get(homeId) !== undefined || (this.consumed(homeId) ?? '') >= position,
      signal,
    );
  }

  async idle(): Promise<void> {
    const { store } = this.#options;
    do {
      const { position: head } = await store.head();
      if (head !== null) await this.#consumedUpTo(head);
    } while (this.#intake.unfinished > 0);
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

  async #consumedUpTo(head: Position): Promise<void> {
    const all = Array.from({ length: PARTITIONS }, (_, p) => this.#intake.marks(p));
    const from = lowest(all.flatMap((m) => (m === undefined ? [] : [m.mark])));
    const horizon = await readHorizon(this.#options.store, from, head);
    for (const [partition, last] of horizon) {
      await this.#whenOf(partition, () => (this.#intake.marks(partition)?.mark ?? '') >= last);
    }
    if (this.#stop.signal.aborted) throw this.#over();
    // Nothing of any partition up to the head is missing now: the next look begins there.
    for (const m of all) if (m !== undefined && (m.seen ?? '') < head) m.pass(head);
    for (const m of all) await this.#when(m, () => m?.unfinished === 0);
    if (this.#stop.signal.aborted) throw this.#over();
  }

  async #whenHome(
    homeId: string,
    position: Position,
    reached: () => boolean,
    signal?: AbortSignal,
  ): Promise<void> {
    const partition = partitionOf(homeId);
    if (!reached()) this.#consumer?.ask(partition, position);
    const given = (): void => {
      this.#intake.marks(partition)?.look();
      this.#wakeAssigned();
    };
    signal?.addEventListener('abort', given, { once: true });
    await this.#whenOf(partition, () => signal?.aborted === true || reached());
    signal?.removeEventListener('abort', given);
    if (signal?.aborted !== true && !reached()) throw this.#over();
  }

  /** Waits on a partition, also where it is taken away and comes back; at most until the stop. */
  async #whenOf(partition: number, reached: () => boolean): Promise<void> {
    while (!this.#stop.signal.aborted && !reached()) {
      const marks = this.#intake.marks(partition);
      if (marks !== undefined) await this.#when(marks, reached);
      else await new Promise<void>((resolve) => this.#awaitingAssignment.push(resolve));
    }
  }

  #wakeAssigned(): void {
    const waiting = this.#awaitingAssignment;
    this.#awaitingAssignment = [];
    for (const resolve of waiting) resolve();
  }

  #has(partition: number): boolean {
    return this.#intake.marks(partition) !== undefined;
  }

  /** Waits on a partition, at most until the stop or until it is taken away. */
  #when(marks: PartitionMarks | undefined, reached: () => boolean): Promise<void> {
    if (marks === undefined) return Promise.resolve();
    return marks.when(() => reached() || marks.revoked || this.#stop.signal.aborted);
  }

  async #load(): Promise<void> {
    const checkpoint = await this.#mirror.load();
    if (checkpoint !== undefined) {
      this.#checkpoint = checkpoint;
      return;
    }
    const { installAt, store } = this.#options;
    const mark = installAt === 'head' ? (await store.head()).position : (installAt?.after ?? null);
    this.#checkpoint = { marks: new Array<Mark>(PARTITIONS).fill(mark), parked: [] };
    // Written down before anything is consumed: "now" would be later after a crash.
    if (installAt !== undefined && (await this.#mirror.save(this.#checkpoint)) === 'later') {
      throw new RuntimeError(
        'unavailable',
        `the first checkpoint of ${this.#options.service} could not be written: start it again`,
      );
    }
  }

  /** A partition came to this instance: for the first time, or back from another. */
  async #assign(partition: number): Promise<Mark> {
    if (!this.#loaded.delete(partition)) {
      const again = await this.#mirror.load();
      if (again !== undefined) this.#checkpoint = again;
    }
    const mark = this.#checkpoint.marks[partition] ?? null;
    this.#intake.assign(partition, mark);
    for (const home of this.#checkpoint.parked) {
      if (partitionOf(home.homeId) === partition) this.#parking.restore(home, partition);
    }
    this.#wakeAssigned();
    return mark;
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
  async #write(): Promise<boolean> {
    this.#intake.moved = false;
    // Of a partition that is elsewhere, or on its way back, what was written last stands.
    const { marks, parked } = this.#checkpoint;
    const elsewhere = parked.filter((home) => !this.#has(partitionOf(home.homeId)));
    const checkpoint = {
      marks: Array.from({ length: PARTITIONS }, (_, p) => {
        const own = this.#intake.marks(p);
        return own === undefined ? (marks[p] ?? null) : own.mark;
      }),
      parked: [...this.#parking.list(), ...elsewhere],
    };
    const outcome = await this.#mirror.save(checkpoint);
    if (outcome === 'later') {
      this.#intake.moved = true;
      return false;
    }
    this.#checkpoint = checkpoint;
    this.#counters.checkpoints++;
    return true;
  }

  async #end(deadlineMilliseconds: number): Promise<void> {
    const { clock, service, logger } = this.#options;
    this.#stop.abort();
    for (let p = 0; p < PARTITIONS; p++) this.#intake.marks(p)?.look();
    this.#wakeAssigned();
    const over = new AbortController();
    await Promise.race([
      Promise.all([this.#consumer?.stop(deadlineMilliseconds), this.#intake.work.end()]),
      clock.sleep(deadlineMilliseconds, over.signal),
    ]);
    over.abort();
    await this.#saving;
    if (this.#failure !== undefined) return;
    for (let tries = 0; this.#intake.moved && tries < LAST_TRIES; tries++) await this.#write();
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

/** The lowest mark; null where any has nothing yet. */
function lowest(marks: readonly Mark[]): Mark {
  let low: Mark | undefined;
  for (const mark of marks) {
    if (mark === null) return null;
    if (low === undefined || low === null || mark < low) low = mark;
  }
  return low ?? null;
}
