/** The log as queries may read it: what is stored, and what of it this release can read. */
import { EventDecodeError, type EventRegistry } from '@bivouac/events/language';

import type { EventStore } from '../../event-store/port.ts';
import type { LogReading } from '../definitions.ts';

/** Reading only, of a whole store. */
export function logReading(store: EventStore, registry: EventRegistry): LogReading {
  return {
    head: () => store.head(),
    readAll: (options) => store.readAll(options),
    readHome: (home, options) => store.readHome(home, options),
    readStream: (stream, options) => store.readStream(stream, options),
    decode: (event) => {
      try {
        return registry.decode(event);
      } catch (error) {
        if (error instanceof EventDecodeError) return undefined;
        throw error;
      }
    },
  };
}
