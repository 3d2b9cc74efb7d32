/** A bus that loses events, as a topic does that has expired or whose broker lost its disk. */
import type { Bus, BusMessage, Consumer, ConsumerOptions } from '@bivouac/infra/bus';

export class LosingBus implements Bus {
  readonly #bus: Bus;
  #losing: { readonly group: string; left: number } | undefined;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** The next events of a group never arrive. */
  lose(group: string, events: number): void {
    this.#losing = { group, left: events };
  }

  consume(options: ConsumerOptions): Promise<Consumer> {
    const { group, deliver } = options;
    const arrives = ({ kind }: BusMessage): boolean => {
      const losing = this.#losing;
      if (kind !== 'event' || losing?.group !== group || losing.left === 0) return true;
      losing.left--;
      return false;
    };
    return this.#bus.consume({
      ...options,
      deliver: (partition, messages) => deliver(partition, messages.filter(arrives)),
    });
  }

  close(): Promise<void> {
    return this.#bus.close();
  }
}
