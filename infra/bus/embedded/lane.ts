/** One partition of one group: what waits to be delivered, in order. */
import type { Position } from '@bivouac/events/language';

import type { BusMessage, Mark } from '../port.ts';

export interface Lane {
  readonly partition: number;
  queue: BusMessage[];
  /** A delivery is under way: one at a time. */
  busy: boolean;
  /** Waits for its turn in a seeded order. */
  drawn: boolean;
  /** Position of the last message put into the queue, or the mark it began at. */
  last: Mark;
  /**
   * Set while the lane reads by itself: everything of its partition up to here was put into the
   * queue. `undefined`: it gets messages with the others.
   */
  cut: Position | null | undefined;
  refilling: boolean;
  /** A marker is to tell of this position, once everything up to it was put into the queue. */
  asked: Position | undefined;
}

/** A lane that begins after a mark. */
export function lane(partition: number, mark: Mark): Lane {
  return {
    partition,
    queue: [],
    busy: false,
    drawn: false,
    last: mark,
    cut: undefined,
    refilling: false,
    asked: undefined,
  };
}
