/**
 * The trail by a filter: of the stretches of the log that can hold it, what fits and what the caller
 * may see. People are answered against the record of their question, with what was there before it.
 */
import { setImmediate } from 'node:timers/promises';
import { TrailRead } from '@bivouac/events/audit';
import {
  formatPosition,
  is,
  type Principal,
  refuse,
  type StoredEvent,
  visibleFields,
} from '@bivouac/events/language';
import {
  type QueryAnswer,
  type QueryContext,
  type QueryHandler,
  queryHandler,
} from '@bivouac/infra/runtime';
import type { View } from '@bivouac/infra/views';
import type { z } from 'zod';

import { Trail, type TrailArgs, type TrailEvent } from '../api/index.ts';
import { definitionOf } from '../definitions.ts';
import { digestOf } from '../digest.ts';
import { misfitOf } from '../domain/misfit.ts';
import { actorMark, typeMark } from '../projections/blocks.ts';
import { type Fits, fitting } from './fitting.ts';
import { streamsAbout } from './objects.ts';
import { homeReader, logReader, type Reader, streamsReader } from './readers.ts';
import { type Stretch, stretchesOf } from './stretches.ts';

export interface TrailBounds {
  /** Events that one question may have looked at. */
  readonly looked: number;
  /** Events that are read at once. */
  readonly batch: number;
}

/** About a tenth of a second, in turns of some milliseconds. */
const usual: TrailBounds = { looked: 10_000, batch: 500 };
/** What a read counts beside its events. */
const READ = 20;

export function trail(bounds = usual): QueryHandler {
  return queryHandler(Trail, (view, args, context) => answer(view, args, context, bounds));
}

async function answer(
  view: View,
  args: z.output<typeof Trail.input>,
  context: QueryContext,
  bounds: TrailBounds,
): Promise<QueryAnswer<z.input<typeof Trail.result>>> {
  const { page } = args;
  const misfit = misfitOf(args, (type) => definitionOf.has(type));
  if (misfit !== undefined) return { kind: 'refused', refusal: misfit };
  const end = await endOf(args, context);
  if (end === undefined) {
    return refuse(
      'NOT_ALLOWED',
      'Reading the trail is recorded first: give the read that was recorded for this very question.',
    );
  }
  const { found, reached } = await walk(view, wholeOf(args, end), args, context, bounds);
  const more = found.length > page.limit;
  const events = found.slice(0, page.limit);
  if (page.reverse) events.reverse();
  const goesOn = more || reached !== undefined;
  return {
    items: events.map((event) => ({ cursor: event.position, node: shown(event, context) })),
    hasNext: page.reverse ? page.before !== undefined : goesOn,
    hasPrevious: page.reverse ? goesOn : page.after !== undefined,
    ...(!more && reached !== undefined && { reached: formatPosition(reached) }),
  };
}

/** The position that the answer ends before; undefined where the question was not recorded. */
async function endOf(
  args: TrailArgs & { readonly read?: string | undefined },
  { principal, history, log }: QueryContext,
): Promise<bigint | undefined> {
  if (!isPerson(principal)) {
    const { position } = await log.head();
    return position === null ? 0n : BigInt(position) + 1n;
  }
  if (args.read === undefined) return undefined;
  const [record] = (await history(args.read, { limit: 1 })).events;
  if (record === undefined || !is(record, TrailRead)) return undefined;
  const { by, digest } = record.data;
  const isTheirs = by === (principal.memberId ?? principal.id) && digest === digestOf(args);
  return isTheirs ? BigInt(record.position) : undefined;
}

function isPerson({ kind }: Principal): boolean {
  return kind === 'member' || kind === 'key';
}

/** What cursors and positions leave of the log. */
function wholeOf({ filter, page }: TrailArgs, end: bigint): Stretch {
  const { afterPosition, upToPosition } = filter;
  let after = 0n;
  let before = end;
  for (const position of [page.after, afterPosition]) {
    if (position !== undefined && BigInt(position) > after) after = BigInt(position);
  }
  if (page.before !== undefined && BigInt(page.before) < before) before = BigInt(page.before);
  if (upToPosition !== undefined && BigInt(upToPosition) + 1n < before) {
    before = BigInt(upToPosition) + 1n;
  }
  return { after, before };
}

interface Walked {
  /** In the direction read: up to one more than the page is long. */
  readonly found: readonly StoredEvent[];
  /** Where looking ended early: everything up to there was looked at. */
  readonly reached: bigint | undefined;
}

async function walk(
  view: View,
  whole: Stretch,
  { filter, page }: TrailArgs,
  context: QueryContext,
  bounds: TrailBounds,
): Promise<Walked> {
  const { limit, reverse } = page;
  const found: StoredEvent[] = [];
  const source = await sourceOf(
    filter,
    context,
    isWhole(filter) ? Math.min(bounds.batch, limit + 1) : bounds.batch,
  );
  if (source === undefined || whole.before - whole.after <= 1n) {
    return { found, reached: undefined };
  }
  const fits: Fits = fitting(filter, context);
  const sought = { mark: markOf(filter), from: filter.from, to: filter.to };
  let looked = 0;
  for (const stretch of stretchesOf(view, whole, sought, reverse)) {
    for (let rest: Stretch | undefined = stretch; rest !== undefined;) {
      if (looked >= bounds.looked) return { found, reached: reverse ? rest.before : rest.after };
      const batch = await source(rest, reverse);
      for (const event of batch.events) {
        if (fits(event)) found.push(event);
        if (found.length > limit) return { found, reached: undefined };
      }
      looked += batch.events.length + READ;
      rest = batch.rest;
      await setImmediate();
    }
  }
  return { found, reached: undefined };
}

/** Where to read. Undefined: nothing there could be seen. */
async function sourceOf(
  { object, account }: TrailArgs['filter'],
  { principal, log }: QueryContext,
  batch: number,
): Promise<Reader | undefined> {
  if (object !== undefined) return streamsReader(log, batch, await streamsAbout(object, log));
  const { reach, homeId } = principal;
  // All that a tenant reaches is in its tree: what lies in others is not even read.
  if (reach !== 'all' && account?.homeId !== undefined && account.homeId !== homeId)
    return undefined;
  const home = reach === 'all' ? account?.homeId : homeId;
  return home === undefined ? logReader(log, batch) : homeReader(log, batch, home);
}

/** Whether what is read is what was asked for, so that a page need not read more than it shows. */
function isWhole({ actor, types = [], from, to }: TrailArgs['filter']): boolean {
  return actor === undefined && types.length === 0 && from === undefined && to === undefined;
}

/** An object's streams are short cuts already; else the actor, or the one type, says where to look. */
function markOf({ object, actor, types = [] }: TrailArgs['filter']): string | undefined {
  if (object !== undefined) return undefined;
  if (actor !== undefined) return actorMark(actor);
  const [type, ...others] = types;
  return type === undefined || others.length > 0 ? undefined : typeMark(type);
}

function shown(event: StoredEvent, { log, principal }: QueryContext): TrailEvent {
  const { position, id, stream, revision, type, time, actorid, tenantid, homeid } = event;
  const definition = definitionOf.get(type);
  const recorded = definition === undefined ? undefined : log.decode(event);
  return {
    ...{ position, eventId: id, stream, revision: revision.toString(), type, time },
    ...{ actorId: actorid, tenantId: tenantid, homeId: homeid },
    ...{ correlationId: event.correlationid, causationId: event.causationid },
    data:
      definition === undefined || recorded === undefined
        ? null
        : visibleFields(definition.schema, recorded.data, principal.audience),
  };
}
