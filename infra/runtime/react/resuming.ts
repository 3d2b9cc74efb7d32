/**
 * What is done for homes that are parked on partitions held here. Whenever a partition comes, at a start or
 * from another instance, what waits there is handled again: whatever failed may have been mended. Staff
 * can order the same, or that the event be left out. What fails again stays parked.
 *
 * An order to leave an event out holds for ever, wherever and however often the home is parked at it. An
 * order to handle it again is carried out by the instance that has the home when it hears of it; where none
 * has it just then, the one that it comes to does so anyway. So none is lost with an instance.
 */
import { ParkedEventSkipOrdered } from '@bivouac/events/audit';
import { is, type Recorded } from '@bivouac/events/language';

import { partitionOf } from '../../bus/partition.ts';
import type { ParkedHome, ReactionLogger, Reactions } from './reaction.ts';

export class Resuming {
  readonly #reactions: Reactions;
  readonly #logger: ReactionLogger;
  /** Events to leave out. */
  readonly #skipped = new Set<string>();
  /** By home: one after the other, and what comes meanwhile is not passed over. */
  readonly #homes = new Map<string, Promise<void>>();

  constructor(reactions: Reactions, logger: ReactionLogger) {
    this.#reactions = reactions;
    this.#logger = logger;
  }

  /** Begins with the homes that are parked here already; `ordered` is what staff ordered before. */
  start(ordered: Iterable<Recorded>): void {
    for (const order of ordered) this.#note(order);
    this.#reactions.onAssigned((partition) => {
      for (const home of this.#reactions.parked()) {
        if (partitionOf(home.homeId) === partition) this.#resume(home.homeId, () => true);
      }
    });
    // Tried again after an order, and failed again: then there is nothing to leave out yet.
    this.#reactions.onParked((homeId) => {
      this.#resume(homeId, ({ eventId }) => this.#skipped.has(eventId));
    });
    for (const { homeId } of this.#reactions.parked()) this.#resume(homeId, () => true);
  }

  /** Staff have ordered something; it may be about a home that is elsewhere. */
  order(order: Recorded): void {
    this.#note(order);
    const homeId = order.data['homeId'];
    const eventId = order.data['eventId'];
    if (typeof homeId === 'string') this.#resume(homeId, (home) => home.eventId === eventId);
  }

  #note(order: Recorded): void {
    if (is(order, ParkedEventSkipOrdered)) this.#skipped.add(order.data.eventId);
  }

  /** @param applies whether it is still to be done, asked when it is the home's turn. */
  #resume(homeId: string, applies: (home: ParkedHome) => boolean): void {
    const mine = (this.#homes.get(homeId) ?? Promise.resolve()).then(async () => {
      const home = this.#at(homeId);
      if (home === undefined || !applies(home)) return;
      try {
        await this.#handle(home);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        this.#logger.error({ home: homeId, error: message }, 'a parked home could not be replayed');
      }
    });
    this.#homes.set(homeId, mine);
    void mine.then(() => {
      if (this.#homes.get(homeId) === mine) this.#homes.delete(homeId);
    });
  }

  async #handle(first: ParkedHome): Promise<void> {
    for (let home = first; ;) {
      const { homeId, eventId } = home;
      const outcome = this.#skipped.has(eventId)
        ? await this.#reactions.skipParked(homeId, eventId)
        : await this.#reactions.replayParked(homeId);
      // It stands at another event now: that one may be to be left out, too.
      if (outcome.outcome !== 'parked' || !this.#skipped.has(outcome.at.eventId)) return;
      if (outcome.at.eventId === eventId) return;
      home = outcome.at;
    }
  }

  #at(homeId: string): ParkedHome | undefined {
    return this.#reactions.parked().find((home) => home.homeId === homeId);
  }
}
