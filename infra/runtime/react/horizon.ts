/** Where each partition must come to for everything up to the log's present head to be consumed. */
import type { Position } from '@bivouac/events/language';

import { isPublished, partitionOf } from '../../bus/partition.ts';
import type { Mark } from '../../bus/port.ts';
import type { EventStore } from '../../event-store/port.ts';

/** Events read at once. */
const PAGE = 500;

/**
 * The last published event of each partition after `from` and up to `head`; a partition without one
 * is not in the answer.
 */
export async function readHorizon(
  store: EventStore,
  from: Mark,
  head: Position,
): Promise<ReadonlyMap<number, Position>> {
  const horizon = new Map<number, Position>();
  let cursor = from;
  while (cursor === null || cursor < head) {
    const page = await store.readAll(
      cursor === null ? { limit: PAGE } : { after: cursor, limit: PAGE },
    );
    for (const event of page.events) {
      if (event.position > head) return horizon;
      cursor = event.position;
      if (isPublished(event.stream)) horizon.set(partitionOf(event.homeid), event.position);
    }
    if (page.end) return horizon;
  }
  return horizon;
}
