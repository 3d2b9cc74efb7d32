/** From stored events to what projections get: each event decoded once, for all services together. */
import type { EventRegistry, Recorded, StoredEvent } from '@bivouac/events/language';

import { RuntimeError } from '../errors.ts';
import { eventFailure } from './failure.ts';
import type { Work } from './followed.ts';
import type { Slices } from './slice.ts';

export interface Decoding {
  readonly registry: EventRegistry;
  readonly slices: Slices;
  readonly services: readonly string[];
  /** Check bodies against their schemas. They were checked when written. */
  readonly validate: boolean;
}

/**
 * The events of a batch that some projection handles.
 *
 * @throws FollowerError naming the services that handle an event which cannot be decoded.
 */
export function workOf(batch: readonly StoredEvent[], decoding: Decoding): readonly Work[] {
  const works: Work[] = [];
  for (const stored of batch) {
    const appliers = decoding.slices.get(stored.type);
    if (appliers === undefined) continue;
    works.push({ stored, event: decoded(stored, decoding, appliers), appliers });
  }
  return works;
}

function decoded(
  stored: StoredEvent,
  { registry, services, validate }: Decoding,
  appliers: Work['appliers'],
): Recorded {
  try {
    const event = registry.decode(stored, validate);
    if (event !== undefined) return event;
    throw new RuntimeError('misconfigured', `${stored.type} is not in the registry`);
  } catch (cause) {
    const concerned = services.filter((_, i) => (appliers[i]?.length ?? 0) > 0);
    throw eventFailure(concerned, 'it cannot be read', stored, cause);
  }
}
