/** How far the reactions of a service have come that run in another process: by what they write down. */
import type { Position } from '@bivouac/events/language';

import { partitionOf } from '../../bus/partition.ts';
import type { EventStore } from '../../event-store/port.ts';
import type { Clock } from '../clock.ts';
import { CheckpointMirror } from './mirror.ts';

/**
 * Whether they have consumed a home up to a position. Of a parked home, and of a service that never
 * reacted to anything in this log: yes, there is nobody to wait for.
 */
export async function passedElsewhere(
  { store, clock }: { readonly store: EventStore; readonly clock: Clock },
  service: string,
  homeId: string,
  position: Position,
): Promise<boolean> {
  const checkpoint = await new CheckpointMirror({ service, store, clock, tenantId: '' }).load();
  if (checkpoint?.parked.every((home) => home.homeId !== homeId) !== true) return true;
  let after = checkpoint.marks[partitionOf(homeId)] ?? null;
  // A partition where nothing happens has no newer mark: it is the home's own events that count.
  while (after === null || after < position) {
    const from = after === null ? {} : { after };
    const page = await store.readHome(homeId, { ...from, upTo: position, limit: 1 });
    const [event] = page.events;
    if (event !== undefined) return false;
    if (page.end) return true;
    after = position;
  }
  return true;
}
