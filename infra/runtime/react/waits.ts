/**
 * Waiting until events of a home, or all there are, have been reacted to: here, or by another instance that
 * has the partition now or gets it meanwhile.
 */
import type { Position } from '@bivouac/events/language';

import { partitionOf } from '../../bus/partition.ts';
import { type Consumer, type Mark, PARTITIONS } from '../../bus/port.ts';
import { isTransient } from '../errors.ts';
import { LOOK_EACH, passedElsewhere } from './elsewhere.ts';
import { readHorizon } from './horizon.ts';
import type { PartitionMarks } from './marks.ts';
import type { ReactionsOptions } from './reaction.ts';

export interface WaitsOptions extends Pick<ReactionsOptions, 'service' | 'store' | 'clock'> {
  readonly stopping: AbortSignal;
  /** Of a partition that is here. */
  readonly marks: (partition: number) => PartitionMarks | undefined;
  /** Undefined until it has begun. */
  readonly consumer: () => Consumer | undefined;
  /** What who waits at the end is told. */
  readonly over: () => Error;
}

/** What one waits for, of a home. */
export interface HomeWait {
  readonly homeId: string;
  readonly position: Position;
  /** Whether it has come so far, by what is known here. */
  readonly reached: () => boolean;
  /** Whether a home that is parked elsewhere counts as having come so far. */
  readonly parkedPasses: boolean;
  readonly signal: AbortSignal | undefined;
}

export class Waits {
  readonly #options: WaitsOptions;
  /** Who waits for a partition to come or go. */
  readonly #moves = new Set<() => void>();

  constructor(options: WaitsOptions) {
    this.#options = options;
  }

  /** A partition has come or gone, or all is over. */
  wake(): void {
    const waiting = [...this.#moves];
    this.#moves.clear();
    for (const wake of waiting) wake();
  }

  /** Everything is looked at again: nothing more comes. */
  end(): void {
    for (let p = 0; p < PARTITIONS; p++) this.#options.marks(p)?.look();
    this.wake();
  }

  /** Until a home has come so far, or the wait is given up. Throws at the end. */
  async forHome({ homeId, position, parkedPasses, signal, ...wait }: HomeWait): Promise<void> {
    const partition = partitionOf(homeId);
    const { store, clock, service, marks, consumer, over } = this.#options;
    let reachedElsewhere = false;
    const reached = (): boolean => reachedElsewhere || wait.reached();
    if (!reached()) consumer()?.ask(partition, position);
    const passes = { parked: parkedPasses, unheard: false };
    const look = async (): Promise<void> => {
      reachedElsewhere = await passedElsewhere({ store, clock }, service, homeId, position, passes);
    };
    const given = (): void => {
      marks(partition)?.look();
      this.wake();
    };
    signal?.addEventListener('abort', given, { once: true });
    await this.#whenOf(partition, () => signal?.aborted === true || reached(), look);
    signal?.removeEventListener('abort', given);
    if (signal?.aborted !== true && !reached()) throw over();
  }

  /** Until a partition is here, and the bus has begun all that were given. */
  async assigned(): Promise<void> {
    const { consumer, stopping } = this.#options;
    // Between two clients of a bus there is a moment with some or nothing here, and more to come.
    await consumer()?.settled?.();
    while (this.#all().every((m) => m === undefined) && !stopping.aborted) {
      await this.#moved().happened;
    }
  }

  /**
   * Until what is here has consumed everything up to the head. Answers false where a partition has come or
   * begun anew meanwhile, and is to be looked at again. Throws at the end.
   */
  async upTo(head: Position): Promise<boolean> {
    const { store, stopping, over, marks } = this.#options;
    const all = this.#all();
    const from = lowest(all.flatMap((m) => (m === undefined ? [] : [m.mark])));
    const horizon = await readHorizon(store, from, head);
    for (const [partition, last] of horizon) {
      // Not of one that is another instance's: nothing here would tell when it has come so far.
      await this.#when(all[partition], () => (all[partition]?.mark ?? '') >= last);
    }
    if (stopping.aborted) throw over();
    // Nothing of any partition up to the head is missing now: the next look begins there.
    for (const m of all) if (m !== undefined && (m.seen ?? '') < head) m.pass(head);
    for (const m of all) await this.#when(m, () => m?.unfinished === 0);
    if (isOver(stopping)) throw over();
    // Taken away meanwhile it may be another's now, or on its way here again: the next look tells.
    return all.every((m, p) => marks(p) === m);
  }

  /**
   * Waits on a partition, also where it is taken away and comes back; at most until the end. While it
   * is another instance's, looks at what that one writes down.
   */
  async #whenOf(
    partition: number,
    reached: () => boolean,
    look: () => Promise<void>,
  ): Promise<void> {
    const { stopping, clock } = this.#options;
    while (!stopping.aborted && !reached()) {
      const marks = this.#options.marks(partition);
      if (marks !== undefined) {
        await this.#when(marks, reached);
        continue;
      }
      const { happened, forget } = this.#moved();
      try {
        await look();
      } catch (error) {
        // The store is away: it is looked again with the next turn.
        if (!isTransient(error)) throw error;
      }
      const over = new AbortController();
      if (!reached()) await Promise.race([happened, clock.sleep(LOOK_EACH, over.signal)]);
      over.abort();
      forget();
    }
  }

  /** Waits on a partition, at most until the end or until it is taken away. */
  #when(marks: PartitionMarks | undefined, reached: () => boolean): Promise<void> {
    if (marks === undefined) return Promise.resolve();
    return marks.when(() => reached() || marks.revoked || this.#options.stopping.aborted);
  }

  /** Resolves when a partition comes or goes, when a wait is given up, and at the end. */
  #moved(): { readonly happened: Promise<void>; readonly forget: () => void } {
    let wake: () => void = () => undefined;
    const happened = new Promise<void>((resolve) => (wake = resolve));
    this.#moves.add(wake);
    return { happened, forget: () => void this.#moves.delete(wake) };
  }

  /** By partition; undefined where it is not here. */
  #all(): readonly (PartitionMarks | undefined)[] {
    return Array.from({ length: PARTITIONS }, (_, p) => this.#options.marks(p));
  }
}

/** A call, because the compiler takes what it has seen false to stay false. */
function isOver(stopping: AbortSignal): boolean {
  return stopping.aborted;
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
