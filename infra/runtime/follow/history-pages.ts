/** Pages of one stream's history, decoded. The cursor is the revision, as decimal text. */
import type { EventRegistry, Recorded } from '@bivouac/events/language';

import type { EventStore } from '../../event-store/port.ts';
import type { QueryContext } from '../definitions.ts';

type PageOptions = Parameters<QueryContext['history']>[1];
type HistoryAnswer = Awaited<ReturnType<QueryContext['history']>>;

/** A history cursor that is no revision. */
export class BadRevisionError extends Error {
  readonly option: 'after' | 'before';
  constructor(option: 'after' | 'before', given: string) {
    super(
      `${option}: ${JSON.stringify(given.slice(0, 80))} is no cursor of a history. Use one from a page of it, or leave it out`,
    );
    this.name = 'BadRevisionError';
    this.option = option;
  }
}

/** Stored events read at once. */
const PAGE = 200;

/**
 * Events strictly between the cursors. A missing stream has none. Events of types this build does
 * not know are left out, and the page is filled from those behind them.
 *
 * @throws BadRevisionError
 */
export async function readHistory(
  store: EventStore,
  registry: EventRegistry,
  stream: string,
  page: PageOptions,
): Promise<HistoryAnswer> {
  const { limit, reverse = false } = page;
  const low = revisionOf('after', page.after) ?? -1n;
  const high = revisionOf('before', page.before);
  const events: Recorded[] = [];
  let from = reverse ? (high === undefined ? undefined : high - 1n) : low + 1n;
  for (;;) {
    const isOut = from !== undefined && (from <= low || (high !== undefined && from >= high));
    if (isOut) return { events, end: true };
    const read = await store.readStream(stream, {
      direction: reverse ? 'backwards' : 'forwards',
      limit: PAGE,
      ...(from !== undefined && { from }),
    });
    if (!read.exists) return { events, end: true };
    for (const stored of read.events) {
      if (stored.revision <= low || (high !== undefined && stored.revision >= high)) {
        return { events, end: true };
      }
      const event = registry.decode(stored);
      if (event === undefined) continue;
      // One more than asked for was found: so the page is full and not the last.
      if (events.length === limit) return { events, end: false };
      events.push(event);
    }
    const last = read.events.at(-1);
    if (read.end || last === undefined) return { events, end: true };
    from = last.revision + (reverse ? -1n : 1n);
  }
}

function revisionOf(option: 'after' | 'before', given: string | undefined): bigint | undefined {
  if (given === undefined) return undefined;
  if (!/^\d{1,19}$/.test(given)) throw new BadRevisionError(option, given);
  return BigInt(given);
}
