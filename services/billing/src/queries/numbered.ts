/** A page of a list that is at hand as a whole: a cursor is the item's number, padded to sort. */
import type { PageArgs } from '@bivouac/events/language';
import { BadCursorError } from '@bivouac/infra/views';

const WIDTH = 8;

/** Items with their cursors, in list order. */
export function numberedPage<T>(all: readonly T[], { after, before, limit, reverse }: PageArgs) {
  const from = after === undefined ? 0 : numberIn('after', after) + 1;
  const to = before === undefined ? all.length : numberIn('before', before);
  const within = all
    .map((node, index) => ({ cursor: index.toString().padStart(WIDTH, '0'), node }))
    .slice(from, Math.max(from, to));
  const items = reverse ? within.slice(-limit) : within.slice(0, limit);
  const more = within.length > items.length;
  return {
    items,
    hasNext: reverse ? before !== undefined : more,
    hasPrevious: reverse ? more : after !== undefined,
  };
}

function numberIn(option: 'after' | 'before', cursor: string): number {
  if (!/^\d{8}$/.test(cursor))
    throw new BadCursorError(option, cursor, 'is no cursor of this list');
  return Number(cursor);
}
