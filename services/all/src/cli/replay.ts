/**
 * `bivouac log replay`: whether every read model is what its log says. Replays the log into a scratch
 * folder and holds the rows against copies of the live files, at the checkpoint of each.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { EventRegistry, Position } from '@bivouac/events/language';
import type { Checkpoint } from '@bivouac/infra/event-store';
import {
  type ServiceDefinition,
  startFollower,
  systemClock,
  viewSchemaOf,
} from '@bivouac/infra/runtime';
import { type DumpedRow, openSqliteViews, type ViewStore } from '@bivouac/infra/views';

import { eventAt, type ReadLog, readerUpTo } from './log-reader.ts';

/** How one service's live read model compares with its replay. */
export type Comparison = {
  readonly service: string;
  /** What the live read model has applied; null: nothing. */
  readonly checkpoint: Position | null;
} & (
  | { readonly verdict: 'equal'; readonly rows: number; readonly sha256: string }
  | {
      readonly verdict: 'different';
      readonly table: string;
      /** Primary key of the first row that differs. */
      readonly key: string;
      readonly how: 'only live' | 'only replayed' | 'other row';
    }
  /** There is nothing to compare: the sentence says why. */
  | { readonly verdict: 'incomparable'; readonly why: string }
);

export interface Replay {
  readonly ok: boolean;
  readonly services: readonly Comparison[];
}

export interface ReplayOptions {
  readonly log: ReadLog;
  readonly registry: EventRegistry;
  readonly services: readonly ServiceDefinition[];
  readonly release: string;
  /** Folder of the live read models. Only read. */
  readonly views: string;
  /** An empty folder, for copies and replays. */
  readonly scratch: string;
}

/** Replays and compares. Throws a FollowerError where the log cannot be replayed at all. */
export async function replayLog(options: ReplayOptions): Promise<Replay> {
  const live = new Map<ServiceDefinition, ViewStore | string>();
  try {
    for (const service of options.services) live.set(service, openCopy(service, options));
    const services: Comparison[] = [];
    const replayed = await replayAll(live, options);
    try {
      for (const [service, view] of live) {
        services.push(await compare(service, view, replayed, options));
      }
    } finally {
      for (const view of replayed.values()) view.close();
    }
    return { ok: services.every(({ verdict }) => verdict === 'equal'), services };
  } finally {
    for (const view of live.values()) if (typeof view !== 'string') view.close();
  }
}

/**
 * The live read model from a copy of its files: opening what does not fit would begin it anew.
 * A sentence where there is none of this release.
 */
function openCopy(service: ServiceDefinition, options: ReplayOptions): ViewStore | string {
  const { name } = service;
  const files = existsSync(options.views)
    ? readdirSync(options.views).filter((file) => file.startsWith(`${name}.`))
    : [];
  const copies = join(options.scratch, 'live');
  mkdirSync(copies, { recursive: true });
  const generations = files.filter((file) => /^\d+(-wal)?$/.test(file.slice(name.length + 1)));
  for (const file of generations) copyFileSync(join(options.views, file), join(copies, file));
  if (generations.length === 0) return 'it has no read model yet; the next start makes it';
  const view = openSqliteViews({
    file: join(copies, name),
    ...viewSchemaOf(service, options.release),
  });
  if (view.checkpoint() !== undefined || options.log.head === null) return view;
  view.close();
  return 'its read model is empty, damaged or of another release; the next start makes it anew';
}

/** One pass over the log for each place at which live read models stand. */
async function replayAll(
  live: ReadonlyMap<ServiceDefinition, ViewStore | string>,
  options: ReplayOptions,
): Promise<ReadonlyMap<string, ViewStore>> {
  const { log, registry, release, scratch } = options;
  const byPlace = new Map<Position, ServiceDefinition[]>();
  for (const [service, view] of live) {
    const at = typeof view === 'string' ? undefined : view.checkpoint();
    if (at === undefined || (await mismatch(log, at)) !== undefined) continue;
    byPlace.set(at.position, [...(byPlace.get(at.position) ?? []), service]);
  }
  const replayed = new Map<string, ViewStore>();
  mkdirSync(join(scratch, 'replayed'), { recursive: true });
  for (const [place, services] of byPlace) {
    const follower = startFollower({
      store: readerUpTo(log, place),
      registry,
      services,
      views: (name) => {
        const service = services.find((one) => one.name === name);
        if (service === undefined) throw new TypeError(`${name} is not replayed here`);
        const file = join(scratch, 'replayed', name);
        const view = openSqliteViews({ file, ...viewSchemaOf(service, release) });
        replayed.set(name, view);
        return view;
      },
      clock: systemClock,
      onFailure: () => undefined,
    });
    try {
      await follower.caughtUp;
    } finally {
      await follower.stop();
    }
  }
  return replayed;
}

/** Why a checkpoint is none of this log, or undefined. */
async function mismatch(
  log: ReadLog,
  { epoch, position, eventId }: Checkpoint,
): Promise<string | undefined> {
  if (epoch !== log.epoch) return `it was made from a log of epoch ${epoch}`;
  if (log.head === null || position > log.head) {
    return `it has applied ${position}, beyond the end of the log at ${log.head ?? 'nothing'}`;
  }
  const there = (await eventAt(log, position))?.id;
  return there === eventId
    ? undefined
    : `it has applied event ${eventId} at ${position}, where the log has ${there ?? 'none'}`;
}

async function compare(
  { name }: ServiceDefinition,
  live: ViewStore | string,
  replays: ReadonlyMap<string, ViewStore>,
  { log }: ReplayOptions,
): Promise<Comparison> {
  if (typeof live === 'string') {
    return { service: name, checkpoint: null, verdict: 'incomparable', why: live };
  }
  const at = live.checkpoint();
  const about = { service: name, checkpoint: at?.position ?? null };
  const why = at && (await mismatch(log, at));
  if (why !== undefined) return { ...about, verdict: 'incomparable', why };
  const replayed = replays.get(name);
  const difference = firstDifference(live.rows(), replayed?.rows() ?? []);
  if (difference !== undefined) return { ...about, verdict: 'different', ...difference };
  const { tables, sha256 } = live.dump();
  const rows = Object.values(tables).reduce((sum, one) => sum + one.rows, 0);
  return { ...about, verdict: 'equal', rows, sha256 };
}

/** Both come by table and primary key in the same order, so one pass over both finds it. */
function firstDifference(
  live: Iterable<DumpedRow>,
  replayed: Iterable<DumpedRow>,
): { table: string; key: string; how: 'only live' | 'only replayed' | 'other row' } | undefined {
  const ours = live[Symbol.iterator]();
  const theirs = replayed[Symbol.iterator]();
  for (;;) {
    const one = ours.next();
    const other = theirs.next();
    if (one.done === true && other.done === true) return undefined;
    if (other.done === true || (one.done !== true && precedes(one.value, other.value))) {
      const row = one.done === true ? undefined : one.value;
      return { table: row?.table ?? '', key: row?.key ?? '', how: 'only live' };
    }
    const { table, key, json } = other.value;
    if (one.done === true || precedes(other.value, one.value)) {
      return { table, key, how: 'only replayed' };
    }
    if (one.value.json !== json) return { table, key, how: 'other row' };
  }
}

function precedes(one: DumpedRow, other: DumpedRow): boolean {
  if (one.table !== other.table) return one.table < other.table;
  // As SQLite sorts them: by bytes.
  return Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)) < 0;
}
