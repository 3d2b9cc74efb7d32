/**
 * Which stretches of the log can hold what is asked for, by the index of blocks. The block that the
 * log has come to, and what lies behind it, are always looked at: the index may not know them yet.
 */
import { formatPosition } from '@bivouac/events/language';
import { instantOf } from '@bivouac/events/values';
import { cursorAt, type RangeItem, type View } from '@bivouac/infra/views';

import {
  BLOCK,
  blocks,
  HOUR,
  HOUR_DIGITS,
  hoursOf,
  latest,
  PART,
  seen,
  seenKey,
  type SeenRow,
} from '../projections/blocks.ts';

/** Positions between two others, both exclusive. */
export interface Stretch {
  readonly after: bigint;
  readonly before: bigint;
}

export interface Sought {
  /** Only where this mark was seen. */
  readonly mark?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Parts of the whole that hold everything sought, apart from each other, in the direction read. */
export function* stretchesOf(
  view: View,
  whole: Stretch,
  sought: Sought,
  reverse: boolean,
): Generator<Stretch> {
  const known = view.get(latest, 'latest');
  const tail = known === undefined ? 0n : startOf(known.block);
  const below = clip(whole, { after: -1n, before: tail });
  const indexed = below && clip(below, timed(view, below, sought));
  const last = clip(whole, { after: tail - 1n, before: whole.before });
  if (reverse && last !== undefined) yield last;
  if (indexed !== undefined) {
    if (sought.mark === undefined) yield indexed;
    else yield* marked(view, sought.mark, indexed, reverse);
  }
  if (!reverse && last !== undefined) yield last;
}

function clip(a: Stretch, b: Stretch): Stretch | undefined {
  const after = a.after > b.after ? a.after : b.after;
  const before = a.before < b.before ? a.before : b.before;
  return before - after > 1n ? { after, before } : undefined;
}

/** What of a stretch can have been recorded in a range of time. */
function timed(view: View, { after, before }: Stretch, { from, to }: Sought): Stretch {
  const first = from === undefined ? undefined : firstSince(view, hourOf(from));
  // An event of before `to` came when the log was at most so many hours ahead of it.
  const late = view.get(latest, 'latest')?.late ?? 0;
  const beyond = to === undefined ? undefined : hourText(hoursOf(hourOf(to)) + late + 1);
  const last = beyond === undefined ? undefined : firstSince(view, beyond);
  return {
    after: from === undefined ? after : first === undefined ? before : startOf(first) - 1n,
    before: last === undefined ? before : startOf(last) + BLOCK,
  };
}

/** The first block by whose end the log had come to an hour. */
function firstSince(view: View, hour: string): string | undefined {
  const after = cursorAt(blocks, 'byHour', [hour], '');
  return view.range(blocks, 'byHour', [], { after, limit: 1 })[0]?.row.block;
}

/** Rows of the index that are read at once. */
const CHUNK = 200;

function* marked(view: View, mark: string, within: Stretch, reverse: boolean): Generator<Stretch> {
  let open: Stretch | undefined;
  for (const row of rowsOf(view, mark, within, reverse)) {
    const parts = reverse ? [...row.parts].reverse() : [...row.parts];
    for (const part of parts) {
      const start = startOf(row.block) + BigInt(part) * PART;
      const next = clip(within, { after: start - 1n, before: start + PART });
      if (next === undefined) continue;
      const joined = open && joinedTo(open, next);
      if (open !== undefined && joined === undefined) yield open;
      open = joined ?? next;
    }
  }
  if (open !== undefined) yield open;
}

/** Neighbours are read in one go. */
function joinedTo(a: Stretch, b: Stretch): Stretch | undefined {
  if (a.before - 1n === b.after) return { after: a.after, before: b.before };
  if (b.before - 1n === a.after) return { after: b.after, before: a.before };
  return undefined;
}

function* rowsOf(view: View, mark: string, within: Stretch, reverse: boolean): Generator<SeenRow> {
  const at = (block: string): string => cursorAt(seen, 'byMark', [mark], seenKey(mark, block));
  // Cursors are exclusive: a block's number sorts behind the beginning of itself, and before itself
  // with anything behind it.
  let after: string | undefined = at(blockOf(within.after + 1n).slice(0, -1));
  let before: string | undefined = at(`${blockOf(within.before - 1n)} `);
  for (;;) {
    const rows: readonly RangeItem<SeenRow>[] = view.range(seen, 'byMark', [mark], {
      after,
      before,
      limit: CHUNK,
      reverse,
    });
    for (const { row } of rows) yield row;
    const last = rows.at(-1);
    if (last === undefined || rows.length < CHUNK) return;
    if (reverse) before = last.cursor;
    else after = last.cursor;
  }
}

function startOf(block: string): bigint {
  return BigInt(block) * BLOCK;
}

function blockOf(position: bigint): string {
  return formatPosition(position).slice(0, -3);
}

function hourOf(instant: string): string {
  return instant.slice(0, HOUR_DIGITS);
}

/** As text, which sorts as long as years have four digits; undefined for what no log comes to. */
function hourText(hours: number): string | undefined {
  return hours < YEAR_10000 ? hourOf(instantOf(hours * HOUR)) : undefined;
}

const YEAR_10000 = hoursOf('9999-12-31T23') + 1;
