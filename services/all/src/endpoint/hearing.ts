/** From what the bus brings to the nodes it concerns; where that cannot be told, to all of them. */
import { EventDecodeError, eventRegistry, type StoredEvent } from '@bivouac/events/language';

import type { Agents } from './agents.ts';
import { type NodeNews, nodeNewsEvents } from './node-news.ts';

export interface Hearing {
  /** These have happened. */
  readonly onEvents: (events: readonly StoredEvent[]) => void;
  /** Something may have happened up to there, or until now, that was not told. */
  readonly onMissed: (upTo: string | undefined) => void;
}

export function hearing(
  news: NodeNews,
  agents: {
    readonly endpoint: Pick<Agents['endpoint'], 'connected'>;
    readonly gate: Pick<Agents['gate'], 'recheck'>;
  },
): Hearing {
  const registry = eventRegistry(nodeNewsEvents);
  const onMissed = (upTo: string | undefined): void => {
    for (const nodeId of agents.endpoint.connected()) news.instructed(nodeId, upTo);
    agents.gate.recheck();
  };
  return {
    onMissed,
    onEvents: (events) => {
      for (const stored of events) {
        try {
          const event = registry.decode(stored);
          if (event !== undefined) news.hear(event);
        } catch (error) {
          if (!(error instanceof EventDecodeError)) throw error;
          // A newer release has written it: whom it concerns cannot be read, that it is there can.
          onMissed(stored.position);
        }
      }
    },
  };
}
