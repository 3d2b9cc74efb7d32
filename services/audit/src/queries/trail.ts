/**
 * The trail by a filter: the narrowest index that fits, walked between two positions, with what the
 * caller may not see left out. Bodies are read from the log for the rows of the page alone.
 */
import { setImmediate } from 'node:timers/promises';
import { formatPosition, parsePosition, type Principal, refuse } from '@bivouac/events/language';
import { type QueryContext, type QueryHandler, queryHandler } from '@bivouac/infra/runtime';
import { cursorAt, type IndexKey, type View } from '@bivouac/infra/views';

import { type TrailArgs, type TrailFilter, TrailOf } from '../api/index.ts';
import { digestOf } from '../digest.ts';
import { isRecorded } from '../domain/access.ts';
import {
  accesses,
  firstSince,
  lastUntil,
  objectOf,
  trail,
  type TrailRow,
} from '../projections/trail.ts';
import { bodiesOf } from './bodies.ts';

const none = { items: [], hasNext: false, hasPrevious: false };

/** Rows looked at between two turns of the event loop. */
const CHUNK = 500;

export const trailOf: QueryHandler = queryHandler(
  TrailOf,
  async (view, { filter, page, access }, context) => {
    const { principal } = context;
    if (isRecorded(principal) && !wasRecorded(view, { filter, page }, access, principal)) {
      return refuse(
        'NOT_ALLOWED',
        'Looking into the trail is recorded first: give the access that was recorded for this very question.',
      );
    }
    const misfit = misfitOf({ filter, page });
    if (misfit !== undefined) return misfit;
    const range = rangeFor(filter, principal);
    if (range === undefined) return none;
    const found = await walk(view, range, { filter, page }, context);
    const more = found.length > page.limit;
    const rows = found.slice(0, page.limit);
    if (page.reverse) rows.reverse();
    const bodies = await bodiesOf(rows, context);
    return {
      items: rows
        .flatMap((row) => bodies.get(row.position) ?? [])
        .map((node) => ({
          cursor: node.position,
          node,
        })),
      hasNext: page.reverse ? page.before !== undefined : more,
      hasPrevious: page.reverse ? more : page.after !== undefined,
    };
  },
);

/** Whether this look, with just these arguments, was recorded of this member. */
function wasRecorded(
  view: View,
  args: TrailArgs,
  access: string | undefined,
  { id, memberId = id }: Principal,
): boolean {
  const row = access === undefined ? undefined : view.get(accesses, access);
  return row?.by === memberId && row.digest === digestOf(args);
}

function misfitOf({ filter, page }: TrailArgs): ReturnType<typeof refuse> | undefined {
  for (const option of ['after', 'before'] as const) {
    const cursor = page[option];
    if (cursor === undefined || /^\d{20}$/.test(cursor)) continue;
    return refuse(
      'INVALID_INPUT',
      `${option}: ${JSON.stringify(cursor.slice(0, 80))} is no cursor of the trail. Use one from a page of it, or leave it out.`,
      { path: [option] },
    );
  }
  if (filter.from === undefined || filter.to === undefined || filter.from < filter.to)
    return undefined;
  return refuse('INVALID_INPUT', 'The time range ends before it begins: give a later end.', {
    path: ['filter', 'to'],
  });
}

interface IndexRange {
  readonly index: 'byObject' | 'byActor' | 'byHome' | 'byType' | 'byPosition';
  readonly prefix: IndexKey;
}

/** The index to walk. Undefined: nothing in it could be seen. */
function rangeFor(filter: TrailFilter, { reach, homeId }: Principal): IndexRange | undefined {
  const { object, actor, home, types } = filter;
  if (object !== undefined) return { index: 'byObject', prefix: [objectOf(object)] };
  if (reach !== 'all') {
    // All that a tenant reaches is in its tree: what lies in others is not even walked.
    return home === undefined || home === homeId
      ? { index: 'byHome', prefix: [homeId] }
      : undefined;
  }
  if (actor !== undefined) return { index: 'byActor', prefix: [actor] };
  if (home !== undefined) return { index: 'byHome', prefix: [home] };
  const [type, ...others] = types ?? [];
  if (type !== undefined && others.length === 0) return { index: 'byType', prefix: [type] };
  return { index: 'byPosition', prefix: [] };
}

/** Up to one row more than the page is long, in the direction read. */
async function walk(
  view: View,
  { index, prefix }: IndexRange,
  { filter, page }: TrailArgs,
  context: QueryContext,
): Promise<TrailRow[]> {
  const { limit, reverse } = page;
  const at = (position: string): string => cursorAt(trail, index, prefix, position);
  const bounds = boundsOf(view, { filter, page });
  let after = bounds.after === undefined ? undefined : at(bounds.after);
  let before = bounds.before === undefined ? undefined : at(bounds.before);
  const found: TrailRow[] = [];
  for (;;) {
    const rows = view.range(trail, index, prefix, { after, before, limit: CHUNK, reverse });
    for (const { row } of rows) {
      if (context.reaches(row.tenant) && fits(row, filter)) found.push(row);
      if (found.length > limit) return found;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < CHUNK) return found;
    if (reverse) before = last.cursor;
    else after = last.cursor;
    await setImmediate();
  }
}

/** The narrowest pair of positions, both exclusive, that cursors, positions and times leave. */
function boundsOf(
  view: View,
  { filter, page }: TrailArgs,
): { readonly after: string | undefined; readonly before: string | undefined } {
  const { from, to, afterPosition, upToPosition } = filter;
  const since = from === undefined ? undefined : firstSince(view, from);
  const until = to === undefined ? undefined : lastUntil(view, to);
  const after = [page.after, afterPosition, since === undefined ? undefined : beside(since, -1n)];
  const before = [page.before, ...[upToPosition, until].map((p) => p && beside(p, 1n))];
  return { after: given(after).sort().at(-1), before: given(before).sort()[0] };
}

function given(positions: readonly (string | undefined)[]): string[] {
  return positions.filter((position) => position !== undefined);
}

/** Positions are 64-bit: what lies beyond them bounds nothing more. */
function beside(position: string, step: 1n | -1n): string {
  const moved = parsePosition(position) + step;
  return moved < 0n || moved > 18_446_744_073_709_551_615n ? position : formatPosition(moved);
}

function fits(row: TrailRow, { object, actor, home, types, from, to }: TrailFilter): boolean {
  return (
    (object === undefined || object === objectOf(object) || row.stream === object) &&
    (actor === undefined || row.actor === actor) &&
    (home === undefined || row.home === home) &&
    (types === undefined || types.length === 0 || types.includes(row.type)) &&
    (from === undefined || row.time >= from) &&
    (to === undefined || row.time < to)
  );
}
