/**
 * Hands the lanes' queues to the consumer: each lane one batch at a time, at once; or, with a seed,
 * lanes and batch sizes in an order drawn from it.
 */
import type { BusMessage, ConsumerOptions } from '../port.ts';
import type { Lane } from './lane.ts';
import type { Shuffle } from './shuffle.ts';

/** Messages of one delivery at most. */
const BATCH = 200;

interface Outcomes {
  readonly delivered: (lane: Lane) => void;
  readonly failed: (error: unknown) => void;
}

export class Deliveries {
  /** Messages waiting in all lanes together. */
  queued = 0;
  readonly #deliver: ConsumerOptions['deliver'];
  readonly #shuffle: Shuffle | undefined;
  readonly #outcomes: Outcomes;
  #drawn: Lane[] = [];
  #drawing = false;
  #underWay = 0;
  #ended = false;
  #quiet: (() => void)[] = [];

  constructor(
    deliver: ConsumerOptions['deliver'],
    shuffle: Shuffle | undefined,
    outcomes: Outcomes,
  ) {
    this.#deliver = deliver;
    this.#shuffle = shuffle;
    this.#outcomes = outcomes;
  }

  /** Delivers what a lane has, unless it is busy: then afterwards. */
  run(lane: Lane): void {
    if (lane.busy || lane.queue.length === 0 || this.#ended) return;
    if (this.#shuffle === undefined) {
      this.#hand(lane, BATCH);
    } else if (!lane.drawn) {
      lane.drawn = true;
      this.#drawn.push(lane);
      if (!this.#drawing) void this.#draw(this.#shuffle);
    }
  }

  /** Nothing is delivered after this. */
  end(): void {
    this.#ended = true;
    this.#drawn = [];
  }

  /** Resolves when no delivery is under way. */
  quiet(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#quiet.push(resolve));
  }

  #hand(lane: Lane, most: number): void {
    const batch = taken(lane, most);
    this.queued -= batch.length;
    lane.busy = true;
    this.#underWay++;
    let delivery: Promise<void>;
    try {
      delivery = this.#deliver(lane.partition, batch);
    } catch (error) {
      delivery = Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    delivery.then(
      () => {
        this.#settle(lane);
        this.#outcomes.delivered(lane);
        this.run(lane);
      },
      (error: unknown) => {
        this.#settle(lane);
        this.#outcomes.failed(error);
      },
    );
  }

  #settle(lane: Lane): void {
    lane.busy = false;
    if (--this.#underWay > 0) return;
    const waiting = this.#quiet;
    this.#quiet = [];
    for (const resolve of waiting) resolve();
  }

  async #draw(shuffle: Shuffle): Promise<void> {
    this.#drawing = true;
    while (this.#drawn.length > 0) {
      // A few turns of the queue of promises, so that deliveries interleave with what they cause.
      for (let turns = shuffle.below(4); turns > 0; turns--) await Promise.resolve();
      const [lane] = this.#drawn.splice(shuffle.below(this.#drawn.length), 1);
      if (lane === undefined) break;
      lane.drawn = false;
      if (!this.#ended && !lane.busy) this.#hand(lane, 1 + shuffle.below(lane.queue.length));
    }
    this.#drawing = false;
  }
}

/** The first messages of a lane; mostly all of them. */
function taken(lane: Lane, most: number): readonly BusMessage[] {
  if (lane.queue.length > most) return lane.queue.splice(0, most);
  const all = lane.queue;
  lane.queue = [];
  return all;
}
