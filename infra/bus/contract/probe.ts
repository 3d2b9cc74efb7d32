/** A consumer for the laws: keeps what it was given, can be made slow, and can be waited for. */
import type { Position, StoredEvent } from '@bivouac/events/language';

import { partitionOf } from '../partition.ts';
import type { Bus, BusMessage, Consumer, ConsumerOptions, Mark } from '../port.ts';
import { PARTITIONS } from '../port.ts';

export interface ProbeOptions {
  readonly marks?: ReadonlyMap<number, Mark>;
  /** Runs before a batch counts as delivered. */
  readonly before?: (partition: number, messages: readonly BusMessage[]) => Promise<void>;
}

export class Probe {
  /** New events by partition, as a reaction consumer would take them: what it has seen is dropped. */
  readonly events: StoredEvent[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly markers: Extract<BusMessage, { kind: 'marker' }>[][] = Array.from(
    { length: PARTITIONS },
    () => [],
  );
  /** Breaks of a law, in words. */
  readonly faults: string[] = [];
  readonly failures: unknown[] = [];
  batches = 0;
  underWay = 0;
  readonly #marks: Mark[];
  readonly #busy = new Set<number>();
  readonly #before: ProbeOptions['before'];
  #waiting: (() => void)[] = [];

  constructor(options: ProbeOptions = {}) {
    this.#marks = Array.from({ length: PARTITIONS }, (_, p) => options.marks?.get(p) ?? null);
    this.#before = options.before;
  }

  consume(bus: Bus, group: string): Promise<Consumer> {
    return bus.consume(this.options(group));
  }

  options(group: string): ConsumerOptions {
    return {
      group,
      from: async (partition) => this.#marks[partition] ?? null,
      deliver: (partition, messages) => this.#deliver(partition, messages),
      failed: (error) => {
        this.failures.push(error);
        this.#changed();
      },
    };
  }

  /** All new events, in no order across partitions. */
  get all(): StoredEvent[] {
    return this.events.flat();
  }

  get marks(): ReadonlyMap<number, Mark> {
    return new Map(this.#marks.entries());
  }

  /** How far a partition is known to be: by its last event, or by what a marker says. */
  heard(partition: number): Position {
    const marker = this.markers[partition]?.at(-1)?.head ?? '';
    const mark = this.#marks[partition] ?? '';
    return marker > mark ? marker : mark;
  }

  /** Resolves when the condition holds; it is looked at after every delivery. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async #deliver(partition: number, messages: readonly BusMessage[]): Promise<void> {
    this.batches++;
    if (this.#busy.has(partition)) this.faults.push(`two batches at once on ${partition}`);
    this.#busy.add(partition);
    this.underWay++;
    try {
      await this.#before?.(partition, messages);
      for (const message of messages) this.#take(partition, message);
    } finally {
      this.#busy.delete(partition);
      this.underWay--;
      this.#changed();
    }
  }

  #take(partition: number, message: BusMessage): void {
    const mark = this.#marks[partition] ?? null;
    if (message.prev !== null && !atOrBefore(message.prev, mark)) {
      this.faults.push(`partition ${partition}: ${message.prev} is missing after ${mark}`);
    }
    if (message.kind === 'marker') {
      this.markers[partition]?.push(message);
      if (message.head !== null && (message.prev ?? '') > message.head) {
        this.faults.push(
          `partition ${partition}: a marker at ${message.head} after ${message.prev}`,
        );
      }
      return;
    }
    const { event } = message;
    if (partitionOf(event.homeid) !== partition) {
      this.faults.push(`${event.homeid} came on partition ${partition}`);
    }
    if (atOrBefore(event.position, mark)) return;
    // What was taken before must be the one it names: only the first may follow a mark in between.
    const last = this.events[partition]?.at(-1)?.position;
    if (last !== undefined && message.prev !== last) {
      this.faults.push(
        `partition ${partition}: ${event.position} names ${message.prev}, not ${last}`,
      );
    }
    this.events[partition]?.push(event);
    this.#marks[partition] = event.position;
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function atOrBefore(position: Position, mark: Mark): boolean {
  return mark !== null && position <= mark;
}
