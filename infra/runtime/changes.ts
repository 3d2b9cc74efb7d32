/** What has changed about an object: its stream's events without their bodies, for who follows it. */
import type { Recorded } from '@bivouac/events/language';
import type { Changes, ChangesArgs } from '@bivouac/events/operations';

import type { QueryContext } from './definitions.ts';

/** Events read at once on the way back to a position. */
const PAGE = 100;

/** The changes asked for; whether the object had come to its end, its owner has to know. */
export async function changesOf(
  context: Pick<QueryContext, 'history'>,
  stream: string,
  { after, since, until, limit }: ChangesArgs,
): Promise<Pick<Changes, 'changes' | 'end'>> {
  if (after === undefined && since === undefined) {
    const newest = await upTo(context, stream, until, limit);
    return { changes: newest.map(changeOf), end: true };
  }
  const last = after ?? (await upTo(context, stream, since, 1))[0]?.revision.toString();
  const { events, end } = await context.history(stream, {
    limit,
    ...(last !== undefined && { after: last }),
  });
  return { changes: events.map(changeOf), end };
}

/** The newest events at or before a position, oldest first. Who follows is seldom far behind. */
async function upTo(
  context: Pick<QueryContext, 'history'>,
  stream: string,
  position: string | undefined,
  limit: number,
): Promise<readonly Recorded[]> {
  const found: Recorded[] = [];
  let before: string | undefined;
  for (;;) {
    const page = await context.history(stream, {
      limit: position === undefined ? limit : PAGE,
      reverse: true,
      ...(before !== undefined && { before }),
    });
    for (const event of page.events) {
      if (position !== undefined && event.position > position) continue;
      found.push(event);
      if (found.length === limit) return found.reverse();
    }
    before = page.events.at(-1)?.revision.toString();
    if (page.end || before === undefined) return found.reverse();
  }
}

function changeOf({ revision, position, type, time }: Recorded) {
  return { revision: revision.toString(), position, type, time };
}
