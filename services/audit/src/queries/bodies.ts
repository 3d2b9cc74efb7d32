/** What events of the trail say: read from their streams, with the fields of the viewer's audience. */
import { visibleFields } from '@bivouac/events/language';
import type { QueryContext } from '@bivouac/infra/runtime';

import type { TrailEvent } from '../api/index.ts';
import { definitionOf } from '../definitions.ts';
import type { TrailRow } from '../projections/trail.ts';

/** Revisions of one stream that are read in one go, also those between that are not asked for. */
const SPAN = 200n;

/** By position. */
export async function bodiesOf(
  rows: readonly TrailRow[],
  context: QueryContext,
): Promise<ReadonlyMap<string, TrailEvent>> {
  const byPosition = new Map<string, TrailEvent>();
  for (const { stream, first, last } of runsOf(rows)) {
    const { events } = await context.history(stream, {
      // Before the first revision there is none to be after.
      ...(first > 0n && { after: (first - 1n).toString() }),
      before: (last + 1n).toString(),
      limit: Number(last - first) + 1,
    });
    for (const event of events) {
      const definition = definitionOf.get(event.type);
      if (definition === undefined) continue;
      byPosition.set(event.position, {
        position: event.position,
        eventId: event.id,
        stream,
        revision: event.revision.toString(),
        type: event.type,
        time: event.time,
        actorId: event.actorid,
        tenantId: event.tenantid,
        homeId: event.homeid,
        data: visibleFields(definition.schema, event.data, context.principal.audience),
      });
    }
  }
  return byPosition;
}

interface Run {
  readonly stream: string;
  readonly first: bigint;
  readonly last: bigint;
}

/** Stretches of streams that hold all the rows, none longer than {@link SPAN}. */
function runsOf(rows: readonly TrailRow[]): readonly Run[] {
  const runs: Run[] = [];
  const open = new Map<string, Run>();
  for (const { stream, revision } of rows) {
    const last = BigInt(revision);
    const run = open.get(stream);
    if (run !== undefined && last - run.first < SPAN) open.set(stream, { ...run, last });
    else {
      if (run !== undefined) runs.push(run);
      open.set(stream, { stream, first: last, last });
    }
  }
  return [...runs, ...open.values()];
}
