/** What happened to one account: its part of its tree's stream, by the viewer's audience. */
import { treeEvents } from '@bivouac/events/accounts';
import { type EventDefinition, type Recorded, visibleFields } from '@bivouac/events/language';
import type { HistoryPage } from '@bivouac/events/operations';
import { type QueryContext, type QueryHandler, queryHandler } from '@bivouac/infra/runtime';

import { AccountHistory } from '../api/index.ts';
import { treeStream } from '../domain/tree.ts';
import { accounts } from '../projections/accounts.ts';

export const accountHistory: QueryHandler = queryHandler(
  AccountHistory,
  async (view, { tenantId, page }, context) => {
    const row = context.reaches(tenantId) ? view.get(accounts, tenantId) : undefined;
    if (row === undefined) return null;
    const items: HistoryPage['items'] = [];
    let { after, before } = page;
    for (;;) {
      const { events, end } = await context.history(treeStream(row.homeId), {
        after,
        before,
        limit: 100,
        reverse: page.reverse,
      });
      for (const event of events) {
        if (!concerns(event, tenantId, context)) continue;
        if (items.length === page.limit) return { items, end: false };
        items.push(...entry(event, context));
      }
      const last = events.at(-1)?.revision.toString();
      if (end || last === undefined) return { items, end: true };
      if (page.reverse) before = last;
      else after = last;
    }
  },
);

/** Its own events, and holds from above that reach it where the viewer may see that tenant too. */
function concerns(event: Recorded, tenantId: string, context: QueryContext): boolean {
  if (event.data['tenantId'] === tenantId) return true;
  const reached = event.data['reaches'];
  return (
    Array.isArray(reached) &&
    reached.includes(tenantId) &&
    context.reaches(String(event.data['tenantId']))
  );
}

const definitions = new Map<string, EventDefinition>(treeEvents.map((d) => [d.type, d]));

function entry(event: Recorded, { principal }: QueryContext): HistoryPage['items'] {
  const definition = definitions.get(event.type);
  if (definition === undefined) return [];
  return [
    {
      cursor: event.revision.toString(),
      eventId: event.id,
      type: event.type,
      time: event.time,
      actorId: event.actorid,
      data: visibleFields(definition.schema, event.data, principal.audience),
    },
  ];
}
