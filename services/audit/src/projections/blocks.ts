/**
 * Where in the log to look: not a row for each event, but which stretches of it hold something of an
 * actor or of a type, and how far recorded time had come by each thousand positions. What is found
 * there is read from the log itself.
 */
import type { StoredEvent } from '@bivouac/events/language';
import { millisecondsOf } from '@bivouac/events/values';
import { projection } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

/** A thousand positions: the first so many digits of each of them. */
const BLOCK_DIGITS = 17;
/** Positions of a block, and of a part of it, whose digit is the one behind the block's. */
export const BLOCK = 1000n;
export const PART = 100n;

/** That something of an actor or a type is in a block. */
export interface SeenRow {
  /** {@link actorMark} or {@link typeMark}. */
  readonly mark: string;
  readonly block: string;
  /** The digits of the parts it is in, as they came: ascending. */
  readonly parts: string;
}

export const seen = table<SeenRow>()({
  name: 'seen',
  key: (row) => seenKey(row.mark, row.block),
  indexes: { byMark: (row) => [row.mark] },
});

/** Sorts by block under one mark. */
export function seenKey(mark: string, block: string): string {
  return `${mark} ${block}`;
}

export const actorMark = (actor: string): string => `a ${actor}`;
export const typeMark = (type: string): string => `t ${type}`;

/** How far recorded time had come by the end of a block. */
export interface BlockRow {
  readonly block: string;
  /** The latest hour of any event up to there, `2026-04-10T09`: never falls from block to block. */
  readonly hour: string;
}

export const blocks = table<BlockRow>()({
  name: 'blocks',
  key: (row) => row.block,
  indexes: { byHour: (row) => [row.hour] },
});

/** The block that the log has come to. */
export interface LatestRow extends BlockRow {
  readonly id: 'latest';
  /** Recorded times may run backwards between streams: by so many hours at most, so far. */
  readonly late: number;
}

export const latest = table<LatestRow>()({ name: 'latest', key: (row) => row.id, indexes: {} });

export const blocksProjection = projection({
  name: 'audit.blocks',
  tables: [seen, blocks, latest],
  stored: indexEvents,
});

/** Of a block in hand: in which of its parts each mark was seen. */
type Marks = Map<string, string>;

function indexEvents(events: readonly StoredEvent[], view: WritableView): void {
  let block = '';
  let hour = '';
  let actors: Marks = new Map();
  let types: Marks = new Map();
  for (const { position, time, actorid, type } of events) {
    if (!position.startsWith(block) || block === '') {
      note(block, actors, types, view);
      block = position.slice(0, BLOCK_DIGITS);
      hour = '';
      actors = new Map();
      types = new Map();
    }
    if (hour === '' || !time.startsWith(hour)) {
      hour = time.slice(0, HOUR_DIGITS);
      passTime(block, hour, view);
    }
    const part = position.charAt(BLOCK_DIGITS);
    mark(actors, actorid, part);
    mark(types, type, part);
  }
  note(block, actors, types, view);
}

function mark(marks: Marks, name: string, part: string): void {
  const parts = marks.get(name);
  // Positions ascend, so a part is either the last one that was noted or a new one.
  if (parts === undefined) marks.set(name, part);
  else if (!parts.endsWith(part)) marks.set(name, parts + part);
}

function note(block: string, actors: Marks, types: Marks, view: WritableView): void {
  for (const [actor, parts] of actors) add(actorMark(actor), block, parts, view);
  for (const [type, parts] of types) add(typeMark(type), block, parts, view);
}

function add(mark: string, block: string, parts: string, view: WritableView): void {
  const known = view.get(seen, seenKey(mark, block))?.parts;
  if (known === undefined) view.put(seen, { mark, block, parts });
  else if (!known.endsWith(parts)) {
    const more = known.endsWith(parts.charAt(0)) ? parts.slice(1) : parts;
    view.put(seen, { mark, block, parts: known + more });
  }
}

/** Characters of an instant that say its hour. */
export const HOUR_DIGITS = 13;

function passTime(block: string, hour: string, view: WritableView): void {
  const known = view.get(latest, 'latest');
  const late = known === undefined ? 0 : Math.max(0, hoursOf(known.hour) - hoursOf(hour));
  const reached = known !== undefined && late > 0 ? known.hour : hour;
  const row = { block, hour: reached, late: Math.max(late, known?.late ?? 0) };
  if (known?.block === block && known.hour === row.hour && known.late === row.late) return;
  view.put(latest, { id: 'latest', ...row });
  if (known?.block !== block || known.hour !== row.hour) view.put(blocks, { block, hour: reached });
}

/** In milliseconds. */
export const HOUR = 3_600_000;

/** An hour of an instant as a number of hours since 1970. */
export function hoursOf(hour: string): number {
  return millisecondsOf(`${hour}:00:00.000Z`) / HOUR;
}
