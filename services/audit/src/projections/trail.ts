/**
 * The index of all that happened: one small row per event, without its body, found by object, actor,
 * tree and type; and by the hour, so that a range of time is a range of positions.
 */
import { AccessRecorded } from '@bivouac/events/audit';
import { is, type Recorded } from '@bivouac/events/language';
import { on, projection } from '@bivouac/infra/runtime';
import { cursorAt, table, type View, type WritableView } from '@bivouac/infra/views';

import { everyEvent } from '../definitions.ts';

export interface TrailRow {
  readonly position: string;
  readonly stream: string;
  /** Decimal text. */
  readonly revision: string;
  readonly type: string;
  readonly actor: string;
  readonly tenant: string;
  readonly home: string;
  readonly time: string;
}

/** Every index ends in the position, so that each lists in log order. */
export const trail = table<TrailRow>()({
  name: 'trail',
  key: (row) => row.position,
  indexes: {
    byPosition: () => [],
    byObject: (row) => [objectOf(row.stream)],
    byActor: (row) => [row.actor],
    byHome: (row) => [row.home],
    byType: (row) => [row.type],
  },
});

/**
 * The object that a stream is about: the id in its name, so that a container's inventory is part of
 * the container's history and an operation's answers are part of the operation's. An id is its own.
 */
export function objectOf(stream: string): string {
  return ID.exec(stream)?.[0] ?? stream;
}

const ID = /[a-z]{2,3}_[0-7][0-9a-hjkmnp-tv-z]{25}/;

/** What was recorded of someone's looking; the query it allows names it. */
export interface AccessRow {
  readonly stream: string;
  readonly by: string;
  readonly digest: string;
}

export const accesses = table<AccessRow>()({
  name: 'accesses',
  key: (row) => row.stream,
  indexes: {},
});

/**
 * An hour that the log has come to. Recorded times may run backwards between streams, so `last` is
 * raised when an event of the hour, or of one before it, comes late.
 */
interface HourRow {
  /** `2026-04-10T09`. */
  readonly hour: string;
  /** The first position at which the log had come to this hour. */
  readonly first: string;
  /** The last position of an event of this hour or of any before it. */
  readonly last: string;
}

const hours = table<HourRow>()({
  name: 'hours',
  key: (row) => row.hour,
  indexes: { byHour: () => [] },
});

/** The latest hour, kept apart: reading it for each event must not search. */
interface LatestRow {
  readonly id: 'latest';
  readonly hour: string;
}

const latest = table<LatestRow>()({ name: 'latest_hour', key: (row) => row.id, indexes: {} });

export const trailProjection = projection({
  name: 'audit.trail',
  tables: [trail, accesses, hours, latest],
  on: everyEvent.map((definition) =>
    on(definition, (event, view) => {
      record(event, view);
    }),
  ),
});

function record(event: Recorded, view: WritableView): void {
  const { position, stream, revision, type, actorid, tenantid, homeid, time } = event;
  view.put(trail, {
    ...{ position, stream, revision: revision.toString(), type, time },
    ...{ actor: actorid, tenant: tenantid, home: homeid },
  });
  recordHour(time.slice(0, HOUR), position, view);
  if (is(event, AccessRecorded)) {
    const { by, digest } = event.data;
    view.put(accesses, { stream, by, digest });
  }
}

/** Characters of an instant that say its hour. */
const HOUR = 13;
const CHUNK = 100;

function recordHour(hour: string, position: string, view: WritableView): void {
  const known = view.get(latest, 'latest')?.hour;
  if (known === undefined || hour > known) {
    view.put(latest, { id: 'latest', hour });
    view.put(hours, { hour, first: position, last: position });
    return;
  }
  const row = view.get(hours, hour);
  if (row !== undefined) view.put(hours, { ...row, last: position });
  if (hour === known) return;
  // Late: every hour from there on has an event of before it at this position.
  let after = cursorAt(hours, 'byHour', [], hour);
  for (;;) {
    const later = view.range(hours, 'byHour', [], { after, limit: CHUNK });
    for (const { row: one } of later) view.put(hours, { ...one, last: position });
    const last = later.at(-1);
    if (last === undefined || later.length < CHUNK) return;
    after = last.cursor;
  }
}

/** No event from this time on lies before it; undefined: nothing is known to. */
export function firstSince(view: View, time: string): string | undefined {
  const hour = time.slice(0, HOUR);
  const own = view.get(hours, hour);
  if (own !== undefined) return own.first;
  const before = cursorAt(hours, 'byHour', [], hour);
  return view.range(hours, 'byHour', [], { before, limit: 1, reverse: true })[0]?.row.first;
}

/** No event of this time or before lies behind it; undefined: any may. */
export function lastUntil(view: View, time: string): string | undefined {
  const hour = time.slice(0, HOUR);
  const own = view.get(hours, hour);
  if (own !== undefined) return own.last;
  const after = cursorAt(hours, 'byHour', [], hour);
  return view.range(hours, 'byHour', [], { after, limit: 1 })[0]?.row.last;
}
