/** The history of an object: its events, as the service that owns it answers them by audience. */
import type { HistoryPage } from '@bivouac/events/operations';

import { builder } from './builder.ts';
import {
  connection,
  type Connection,
  type PageArgs,
  pageRequest,
  type PageRequest,
} from './paging.ts';

export type HistoryEvent = HistoryPage['items'][number];

export const EventRef = builder.objectRef<HistoryEvent>('Event').implement({
  description: 'Something that happened, as the log has it for ever.',
  fields: (t) => ({
    id: t.exposeID('eventId', { description: 'The event’s id, a UUID.' }),
    type: t.exposeString('type', {
      description: 'What happened, e.g. `containers.ContainerRunning`. Stable.',
    }),
    time: t.expose('time', { type: 'DateTime', description: 'Recorded time.' }),
    actor: t.exposeString('actorId', {
      description: 'Who caused it: a lasting pseudonym of a key, a policy, a timer or a node.',
    }),
    data: t.expose('data', {
      type: 'JSON',
      description: 'What the event says, as far as you may know it.',
    }),
  }),
});

export const EventConnection = builder.connectionObject(
  { type: EventRef, name: 'EventConnection', description: 'A page of events, oldest first.' },
  { name: 'EventEdge', description: 'An event and where it stands.' },
);

const empty: HistoryPage = { items: [], end: true };

/** A page of a history. What is out of reach has none. */
export async function historyConnection(
  args: PageArgs,
  read: (page: PageRequest) => Promise<HistoryPage | null>,
): Promise<Connection<HistoryEvent>> {
  const request = pageRequest(args);
  const page = (await read(request)) ?? empty;
  const items = page.items.map((event) => ({ cursor: event.cursor, node: event }));
  // Read from the end, a history comes newest first; a connection is always in list order.
  if (request.reverse) items.reverse();
  return connection({
    items,
    hasNext: request.reverse ? request.before !== undefined : !page.end,
    hasPrevious: request.reverse ? !page.end : request.after !== undefined,
  });
}
