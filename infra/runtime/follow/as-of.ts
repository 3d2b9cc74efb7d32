/**
 * A service's view as of a moment: one home's events and those of the platform, replayed into memory
 * up to a position. The same projections as live, so the same rows; its position says of when it is.
 */
import { setImmediate } from 'node:timers/promises';
import {
  type EventRegistry,
  parsePosition,
  type Position,
  type StoredEvent,
} from '@bivouac/events/language';
import { InstantSchema } from '@bivouac/events/values';

import type { EventStore } from '../../event-store/port.ts';
import type { Dump } from '../../views/dump.ts';
import { memoryViews } from '../../views/memory.ts';
import type { View } from '../../views/port.ts';
import type { ServiceDefinition } from '../definitions.ts';
import { workOf } from './batches.ts';
import { Followed } from './followed.ts';
import { slicesOf, storedAppliersOf, tablesOf } from './slice.ts';

/** A view of the past. Holds memory until it is closed or forgotten. */
export interface AsOf {
  readonly view: View;
  /** What it is of, inclusive. Null: of the time before anything happened in the home. */
  readonly position: Position | null;
  dump(): Dump;
  close(): void;
}

export interface AsOfOptions {
  readonly store: EventStore;
  readonly registry: EventRegistry;
  readonly service: ServiceDefinition;
  readonly homeId: string;
  readonly at: { readonly position: Position } | { readonly time: string };
  readonly signal?: AbortSignal;
}

/** A moment that is none, or that has not come yet. */
export class AsOfError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AsOfError';
  }
}

const PAGE = 500;

/**
 * Replays a home as of a moment.
 *
 * @throws AsOfError for a moment that cannot be answered; FollowerError where a projection fails.
 */
export async function viewAsOf(options: AsOfOptions): Promise<AsOf> {
  const { store, registry, service, homeId, at } = options;
  const head = await store.head();
  const position =
    'time' in at
      ? await asOfPosition(store, homeId, at.time)
      : checkedPosition(at.position, head.position);
  const views = memoryViews({ tables: tablesOf(service) });
  const followed = new Followed(service.name, 0, views, storedAppliersOf(service));
  const slices = slicesOf([service], registry);
  const decoding = { registry, slices, services: [service.name], validate: true };
  for await (const page of pagesUpTo(store, position, options.signal)) {
    const concerned = page.filter((e) => e.homeid === homeId || isPlatform(e));
    followed.apply(concerned, workOf(concerned, decoding), head.epoch);
    views.commit();
  }
  return {
    view: views.view,
    position,
    dump: () => views.dump(),
    close: () => {
      views.close();
    },
  };
}

/**
 * The last position of the home's longest prefix whose running maximum of recorded time is not after
 * the given one. Recorded times may run backwards between streams; such a prefix never tears a home.
 */
export async function asOfPosition(
  store: EventStore,
  homeId: string,
  time: string,
): Promise<Position | null> {
  if (!InstantSchema.safeParse(time).success) {
    throw new AsOfError(
      `${JSON.stringify(time)} is no instant: give one like 2026-04-10T09:00:00.000Z`,
    );
  }
  let last: Position | null = null;
  for (;;) {
    const page = await store.readHome(homeId, { limit: PAGE, ...(last && { after: last }) });
    for (const event of page.events) {
      if (event.time > time) return last;
      last = event.position;
    }
    if (page.end) return last;
    await setImmediate();
  }
}

/** Facts of the platform (nodes, images, the catalog) are their own home. */
function isPlatform(event: StoredEvent): boolean {
  return event.homeid === event.stream;
}

function checkedPosition(position: Position, head: Position | null): Position {
  try {
    parsePosition(position);
  } catch {
    throw new AsOfError(`${JSON.stringify(position)} is no position: use one from an answer`);
  }
  if (head === null || position > head) {
    throw new AsOfError(`the log has not come to ${position} yet: it ends at ${head ?? 'nothing'}`);
  }
  return position;
}

/** The log up to a position, with a turn of the event loop between pages. */
async function* pagesUpTo(
  store: EventStore,
  position: Position | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly StoredEvent[]> {
  let after: Position | undefined;
  while (position !== null && (after === undefined || after < position)) {
    signal?.throwIfAborted();
    const page = await store.readAll({ limit: PAGE, ...(after && { after }) });
    after = page.events.at(-1)?.position;
    yield page.events.filter((event) => event.position <= position);
    if (page.end || after === undefined) return;
    await setImmediate();
  }
}
