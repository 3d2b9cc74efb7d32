/** One page of an index range for a viewer: skips what the viewer may not see, keeps cursors stable. */
import type { PageArgs } from '@bivouac/events/language';

import type { IndexKey, Table, View } from './port.ts';

export interface PageOf<R> {
  items: { cursor: string; node: R }[];
  hasNext: boolean;
  hasPrevious: boolean;
}

/** How many rows are read at once while looking for visible ones. */
const CHUNK = 200;

/** A page of the rows under the prefix for which `visible` holds. */
export function pageOf<R extends object, I extends string>(
  view: View,
  table: Table<R, I>,
  index: I,
  prefix: IndexKey,
  request: PageArgs,
  visible: (row: R) => boolean,
): PageOf<R> {
  const { limit, reverse } = request;
  let { after, before } = request;
  const found: { cursor: string; node: R }[] = [];
  for (;;) {
    const rows = view.range(table, index, prefix, {
      after,
      before,
      limit: Math.max(CHUNK, limit + 1),
      reverse,
    });
    for (const { cursor, row } of rows) {
      if (visible(row)) found.push({ cursor, node: row });
      if (found.length > limit) break;
    }
    const last = rows.at(-1);
    if (found.length > limit || last === undefined || rows.length < CHUNK) break;
    if (reverse) before = last.cursor;
    else after = last.cursor;
  }
  const more = found.length > limit;
  const items = found.slice(0, limit);
  if (reverse) items.reverse();
  return {
    items,
    hasNext: reverse ? request.before !== undefined : more,
    hasPrevious: reverse ? more : request.after !== undefined,
  };
}
