/**
 * Reading stored events of a stretch in either direction: of the whole log, of one home, of the
 * streams about an object. A reader answers what it has read and what of the stretch is left; `most`
 * is how many events it reads at once.
 */
import { formatPosition, type StoredEvent } from '@bivouac/events/language';
import type { LogReading } from '@bivouac/infra/runtime';

import type { Stretch } from './stretches.ts';

export interface Batch {
  /** In the direction read. */
  readonly events: readonly StoredEvent[];
  /** Undefined: all of the stretch was read. */
  readonly rest: Stretch | undefined;
}

export type Reader = (stretch: Stretch, reverse: boolean) => Promise<Batch>;

/** All that happened. */
export function logReader(log: LogReading, most: number): Reader {
  return async ({ after, before }, reverse) => {
    const size = before - after - 1n;
    const limit = size < most ? Number(size) : most;
    const page = await log.readAll(
      reverse
        ? { after: formatPosition(before), direction: 'backwards', limit }
        : { ...(after > 0n && { after: formatPosition(after) }), limit },
    );
    return batchOf(page.events, page.end, { after, before }, reverse);
  };
}

/** All of one home. The store reads a home forwards alone, so backwards it is read in windows. */
export function homeReader(log: LogReading, most: number, home: string): Reader {
  /** Positions that are read in one go backwards: more where the home has few there. */
  let window = BigInt(most);
  const forwards = async ({ after, before }: Stretch): Promise<Batch> => {
    const page = await log.readHome(home, {
      ...(after > 0n && { after: formatPosition(after) }),
      upTo: formatPosition(before - 1n),
      limit: most,
    });
    return batchOf(page.events, page.end, { after, before }, false);
  };
  return async (stretch, reverse) => {
    if (!reverse) return forwards(stretch);
    const { after, before } = stretch;
    const low = before - window - 1n > after ? before - window - 1n : after;
    const events: StoredEvent[] = [];
    let left: Stretch | undefined = { after: low, before };
    while (left !== undefined) {
      const batch: Batch = await forwards(left);
      events.push(...batch.events);
      left = batch.rest;
    }
    if (events.length < most / 4) window *= 4n;
    else if (events.length > most) window = BigInt(most);
    return {
      events: events.reverse(),
      rest: low > after ? { after, before: low + 1n } : undefined,
    };
  };
}

/** All of some streams, merged into log order. */
export function streamsReader(log: LogReading, most: number, streams: readonly string[]): Reader {
  return async (stretch, reverse) => {
    const read: StoredEvent[] = [];
    /** The last of a stream of which more is to come: what lies behind it is not known yet. */
    let edge: bigint | undefined;
    for (const stream of streams) {
      const { events, last } = await ofStream(log, most, stream, stretch, reverse);
      read.push(...events);
      if (last !== undefined && (edge === undefined || (reverse ? last > edge : last < edge))) {
        edge = last;
      }
    }
    const ordered = read.sort((a, b) => (a.position < b.position === reverse ? 1 : -1));
    if (edge === undefined) return { events: ordered, rest: undefined };
    const border = formatPosition(edge);
    return {
      events: ordered.filter(({ position }) => (reverse ? position >= border : position <= border)),
      rest: reverse ? { ...stretch, before: edge } : { ...stretch, after: edge },
    };
  };
}

async function ofStream(
  log: LogReading,
  most: number,
  stream: string,
  { after, before }: Stretch,
  reverse: boolean,
): Promise<{ readonly events: readonly StoredEvent[]; readonly last: bigint | undefined }> {
  const none = { events: [], last: undefined };
  const first = await revisionAt(log, stream, reverse ? before : after + 1n);
  const from = reverse ? first - 1n : first;
  if (from < 0n) return none;
  const page = await log.readStream(stream, {
    from,
    limit: most,
    direction: reverse ? 'backwards' : 'forwards',
  });
  if (!page.exists) return none;
  const inside = page.events.filter(({ position }) => isBetween(position, { after, before }));
  const last = page.events.at(-1);
  const more = !page.end && last !== undefined && isBetween(last.position, { after, before });
  return { events: inside, last: more ? BigInt(last.position) : undefined };
}

/** The first revision of a stream at a position or behind it; of what does not exist, 0. */
async function revisionAt(log: LogReading, stream: string, position: bigint): Promise<bigint> {
  const end = await log.readStream(stream, { direction: 'backwards', limit: 1 });
  if (!end.exists) return 0n;
  const last = end.events[0];
  if (last === undefined || BigInt(last.position) < position) return end.head + 1n;
  let low = 0n;
  let high = end.head;
  while (low < high) {
    const middle = (low + high) / 2n;
    const page = await log.readStream(stream, { from: middle, limit: 1 });
    const there = page.exists ? page.events[0] : undefined;
    if (there !== undefined && BigInt(there.position) < position) low = middle + 1n;
    else high = middle;
  }
  return low;
}

function batchOf(
  read: readonly StoredEvent[],
  isEnd: boolean,
  stretch: Stretch,
  reverse: boolean,
): Batch {
  const events = read.filter(({ position }) => isBetween(position, stretch));
  const last = read.at(-1);
  if (isEnd || last === undefined) return { events, rest: undefined };
  const at = BigInt(last.position);
  const rest = reverse ? { ...stretch, before: at } : { ...stretch, after: at };
  return { events, rest: rest.before - rest.after > 1n ? rest : undefined };
}

function isBetween(position: string, { after, before }: Stretch): boolean {
  const at = BigInt(position);
  return at > after && at < before;
}
