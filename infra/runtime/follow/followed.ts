/** One service's read model as it follows the log: its store, its place, and who waits for it. */
import type { Position, Recorded, StoredEvent } from '@bivouac/events/language';

import { isPublished } from '../../bus/partition.ts';
import type { Checkpoint } from '../../event-store/port.ts';
import type { WritableView } from '../../views/port.ts';
import type { ViewStore } from '../../views/store.ts';
import type { ApplyStored } from '../definitions.ts';
import { eventFailure, mismatchFailure } from './failure.ts';
import type { Apply } from './slice.ts';

/** An event of a batch that some projection handles. */
export interface Work {
  readonly stored: StoredEvent;
  readonly event: Recorded;
  readonly appliers: readonly (readonly Apply[])[];
}

interface Waiter {
  readonly position: Position;
  readonly settle: (reached: boolean) => void;
}

export class Followed {
  readonly name: string;
  readonly store: ViewStore;
  /** What sees every event as it is stored. */
  readonly stored: readonly ApplyStored[];
  readonly #index: number;
  /** Events gone past since the start, and commits of something. */
  passed = 0;
  commits = 0;
  #committed = 0;
  #waiters = new Set<Waiter>();
  /** A checkpoint ahead of where the subscription began: to be compared when it is passed. */
  #unproven: Checkpoint | undefined;

  /** @param index the service's place in the slices. */
  constructor(name: string, index: number, store: ViewStore, stored: readonly ApplyStored[] = []) {
    this.name = name;
    this.store = store;
    this.stored = stored;
    this.#index = index;
  }

  get position(): Position | null {
    return this.store.checkpoint()?.position ?? null;
  }

  /** The next batches start before this checkpoint and must prove it. */
  proveLater(checkpoint: Checkpoint | undefined): void {
    this.#unproven = checkpoint;
  }

  /**
   * Applies what of the batch lies behind the own position.
   *
   * @throws FollowerError where a projection fails or the checkpoint proves to be of another log.
   */
  apply(batch: readonly StoredEvent[], works: readonly Work[], epoch: string): void {
    if (this.#unproven !== undefined) this.#prove(batch, this.#unproven);
    const last = batch.at(-1);
    const position = this.position ?? '';
    if (last === undefined || last.position <= position) return;
    this.store.apply({ epoch, position: last.position, eventId: last.id }, (view) => {
      for (const { stored, event, appliers } of works) {
        if (stored.position <= position) continue;
        try {
          for (const apply of appliers[this.#index] ?? []) apply(event, view);
        } catch (cause) {
          throw eventFailure([this.name], 'its projection failed', stored, cause);
        }
      }
      this.#applyStored(batch, position, view);
    });
    const first = batch[0];
    this.passed +=
      first !== undefined && first.position > position
        ? batch.length
        : batch.filter((event) => event.position > position).length;
  }

  /** Makes what was applied durable. */
  commit(): void {
    this.store.commit();
    if (this.passed === this.#committed) return;
    this.#committed = this.passed;
    this.commits++;
  }

  /** The log's end was reached: a checkpoint beyond it is of another log. */
  checkEnd(): void {
    if (this.#unproven === undefined) return;
    throw mismatchFailure(
      [this.name],
      `the log ends before their checkpoint ${this.#unproven.position}`,
    );
  }

  /** Tells those who wait for what has been reached. */
  announce(): void {
    const position = this.position;
    for (const waiter of this.#waiters) {
      if (position !== null && waiter.position <= position) this.#settle(waiter, true);
    }
  }

  /** Tells all who wait that they wait in vain. */
  giveUp(): void {
    for (const waiter of this.#waiters) this.#settle(waiter, false);
  }

  /** Resolves true at the position, false on {@link giveUp} or when `cancel` was called. */
  reach(position: Position): { readonly reached: Promise<boolean>; readonly cancel: () => void } {
    let settle: (reached: boolean) => void = () => undefined;
    const reached = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    const waiter: Waiter = { position, settle };
    this.#waiters.add(waiter);
    return {
      reached,
      cancel: () => {
        this.#settle(waiter, false);
      },
    };
  }

  #applyStored(batch: readonly StoredEvent[], position: Position, view: WritableView): void {
    if (this.stored.length === 0) return;
    // How far reactions and relays have come is in no slice: it goes on while nothing happens.
    const events = batch.filter((e) => e.position > position && isPublished(e.stream));
    const [first] = events;
    if (first === undefined) return;
    try {
      for (const apply of this.stored) apply(events, view);
    } catch (cause) {
      throw eventFailure([this.name], 'its index of what follows it failed', first, cause);
    }
  }

  #settle(waiter: Waiter, reached: boolean): void {
    this.#waiters.delete(waiter);
    waiter.settle(reached);
  }

  #prove(batch: readonly StoredEvent[], { position, eventId }: Checkpoint): void {
    const last = batch.at(-1);
    if (last === undefined || last.position < position) return;
    const there = batch.find((event) => event.position === position);
    if (there?.id !== eventId) {
      throw mismatchFailure(
        [this.name],
        `event ${eventId} was applied at ${position}, where now stands ${there?.id ?? 'none'}`,
      );
    }
    this.#unproven = undefined;
  }
}
