/** Bugs of a consumer, as a bus that hands on less than it has. */
import type { BusMessage } from '@bivouac/infra/bus';

import type { Plant } from '../system.ts';

/** The last event of a batch is passed over, and whoever comes after it is told of none. */
export const skipLast: Plant = {
  bus: (bus) => ({
    close: () => bus.close(),
    consume: (options) => {
      /** By partition, what was passed over, and what stood before it. */
      const passed = new Map<
        number,
        { readonly at: string | null; readonly before: string | null }
      >();
      const linked = (partition: number, message: BusMessage): BusMessage => {
        const gap = passed.get(partition);
        if (gap === undefined || message.prev !== gap.at) return message;
        return { ...message, prev: gap.before };
      };
      return bus.consume({
        ...options,
        deliver: async (partition, messages) => {
          const chained = messages.map((message) => linked(partition, message));
          const last = chained.findLast((message) => message.kind === 'event');
          if (last?.kind !== 'event' || chained.length < 2) {
            return options.deliver(partition, chained);
          }
          passed.set(partition, { at: last.event.position, before: last.prev });
          const rest = chained.filter((message) => message !== last);
          return options.deliver(
            partition,
            rest.map((message) => linked(partition, message)),
          );
        },
      });
    },
  }),
};
