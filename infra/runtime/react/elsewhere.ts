/** How far the reactions of a service have come that run in another process: by what they write down. */
import type { Position } from '@bivouac/events/language';

import { partitionOf } from '../../bus/partition.ts';
import type { EventStore } from '../../event-store/port.ts';
import type { Clock } from '../clock.ts';
import { CheckpointMirror, NOTHING } from './mirror.ts';

/** How often what another process writes down is read by who waits for it; it is written each second. */
export const LOOK_EACH = 1000;

export interface ElsewhereOptions {
  readonly store: EventStore;
  readonly clock: Clock;
}

/** What counts as passed although it was not consumed. */
export interface Passes {
  /** A home that is parked. */
  readonly parked: boolean;
  /** A service that has written nothing down. */
  readonly unheard: boolean;
}

/**
 * Whether they have consumed a home up to a position. Of a parked home, and of a service that never
 * reacted to anything in this log: yes, there is nobody to wait for.
 */
export async function passedElsewhere(
  { store, clock }: ElsewhereOptions,
  service: string,
  homeId: string,
  position: Position,
  passes: Passes = { parked: true, unheard: true },
): Promise<boolean> {
  const written = await new CheckpointMirror({ service, store, clock, tenantId: '' }).load();
  if (written === undefined && passes.unheard) return true;
  const { parked, marks } = written ?? NOTHING;
  const waiting = parked.find((home) => home.homeId === homeId);
  if (waiting !== undefined && passes.parked) return true;
  if (waiting !== undefined && waiting.from <= position) return false;
  let after = marks[partitionOf(homeId)] ?? null;
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
