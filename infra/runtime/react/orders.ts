/**
 * What staff order about the parked homes of the services that run here: read from its streams at the
 * start, and told by the follower from then on.
 */
import { parkingOrderEvents, parkingStream } from '@bivouac/events/audit';
import type { EventRegistry, Recorded, StoredEvent } from '@bivouac/events/language';

import type { EventStore } from '../../event-store/port.ts';
import type { ReactionLogger, Reactions } from './reaction.ts';
import { Resuming } from './resuming.ts';

/** Events read at once. */
const PAGE = 200;

/** The types of event in those streams. */
const TYPES: ReadonlySet<string> = new Set(parkingOrderEvents.map(({ type }) => type));

export interface ParkingOrdersOptions {
  readonly reactions: Reactions;
  readonly service: string;
  readonly store: EventStore;
  readonly registry: EventRegistry;
  /** Tells of every event that the log has, as it is applied; answers how to end that. */
  readonly onApplied: (listener: (events: readonly StoredEvent[]) => void) => () => void;
  readonly logger: ReactionLogger;
}

/** Sees to the parked homes of one service from now on. Answers how to end it. */
export async function seeToParkedHomes(options: ParkingOrdersOptions): Promise<() => void> {
  const { reactions, service, store, registry, onApplied, logger } = options;
  const stream = parkingStream(service);
  const resuming = new Resuming(reactions, logger);
  // Those that come while the ones before are read wait for them.
  let early: Recorded[] | undefined = [];
  let known = -1n;
  const take = (order: Recorded): void => {
    // The follower may tell of what was read here.
    if (order.revision <= known) return;
    known = order.revision;
    resuming.order(order);
  };
  const end = onApplied((events) => {
    for (const stored of events) {
      if (stored.stream !== stream || !TYPES.has(stored.type)) continue;
      const order = registry.decode(stored);
      if (order === undefined) continue;
      if (early === undefined) take(order);
      else early.push(order);
    }
  });
  try {
    const ordered: Recorded[] = [];
    for (let from = 0n; ;) {
      const page = await store.readStream(stream, { from, limit: PAGE });
      const events = page.exists ? page.events : [];
      for (const stored of events) {
        known = stored.revision;
        from = known + 1n;
        const order = TYPES.has(stored.type) ? registry.decode(stored) : undefined;
        if (order !== undefined) ordered.push(order);
      }
      if (!page.exists || page.end || events.length === 0) break;
    }
    resuming.start(ordered);
    const waiting = early;
    early = undefined;
    for (const order of waiting) take(order);
    return end;
  } catch (error) {
    end();
    throw error;
  }
}
