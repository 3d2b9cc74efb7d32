/** An object's history: its stream's events, with the fields that the viewer's audience may see. */
import { type EventDefinition, visibleFields } from '@bivouac/events/language';
import type { HistoryPage } from '@bivouac/events/operations';

import type { QueryContext } from './definitions.ts';

/** One page of the stream's history for the caller of the query. */
export async function historyOf(
  context: QueryContext,
  stream: string,
  definitions: readonly EventDefinition[],
  page: Parameters<QueryContext['history']>[1],
): Promise<HistoryPage> {
  const byType = new Map(definitions.map((definition) => [definition.type, definition]));
  const { events, end } = await context.history(stream, page);
  return {
    items: events.flatMap((event) => {
      const definition = byType.get(event.type);
      if (definition === undefined) return [];
      return {
        cursor: event.revision.toString(),
        eventId: event.id,
        type: event.type,
        time: event.time,
        actorId: event.actorid,
        data: visibleFields(definition.schema, event.data, context.principal.audience),
      };
    }),
    end,
  };
}
