/** The homes of a service that wait for staff, each from one event on. */
import {
  formatPosition,
  parsePosition,
  type Position,
  type StoredEvent,
} from '@bivouac/events/language';

import type { ParkedHome, ParkingReason } from './reaction.ts';

/** A parked home as it lives. */
export interface Parked {
  home: ParkedHome;
  readonly partition: number;
  /** Its last event that was passed over since the start: a replay has to reach it. */
  passed: Position | undefined;
  replaying: boolean;
}

/** Homes a service parks at most: a checkpoint has room for them, and more is no accident of homes. */
export const MAX_PARKED = 200;

export class Parking {
  readonly #homes = new Map<string, Parked>();

  get size(): number {
    return this.#homes.size;
  }

  get(homeId: string): Parked | undefined {
    return this.#homes.get(homeId);
  }

  restore(home: ParkedHome, partition: number): void {
    this.#homes.set(home.homeId, { home, partition, passed: undefined, replaying: false });
  }

  /** Parks a home at an event, or moves where it is parked back to it. Answers whether that changed. */
  park(event: StoredEvent | ParkedEvent, partition: number, why: Why): boolean {
    const known = this.#homes.get(event.homeid);
    if (known !== undefined && known.home.from <= event.position) return false;
    const home: ParkedHome = {
      homeId: event.homeid,
      from: event.position,
      eventId: event.id,
      type: event.type,
      ...why,
    };
    if (known === undefined) this.restore(home, partition);
    else known.home = home;
    return true;
  }

  /** Whether an event waits. */
  holds(homeId: string, position: Position): Parked | undefined {
    const parked = this.#homes.get(homeId);
    return parked !== undefined && position >= parked.home.from ? parked : undefined;
  }

  release(homeId: string): void {
    this.#homes.delete(homeId);
  }

  /** Forgets the homes of a partition that was taken away. */
  forget(partition: number): void {
    for (const [id, parked] of this.#homes) if (parked.partition === partition) this.release(id);
  }

  list(): ParkedHome[] {
    return [...this.#homes.values()]
      .map((parked) => parked.home)
      .sort((a, b) => (a.homeId < b.homeId ? -1 : 1));
  }
}

/** As much of an event as parking needs. */
export type ParkedEvent = Pick<StoredEvent, 'id' | 'type' | 'homeid' | 'position'>;

export interface Why {
  readonly reaction: string | null;
  readonly reason: ParkingReason;
  readonly since: string;
}

/** The position before an inclusive bound; undefined before the first of all. */
export function before(position: Position): Position | undefined {
  const n = parsePosition(position);
  return n === 0n ? undefined : formatPosition(n - 1n);
}
