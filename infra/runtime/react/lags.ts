/** How far each reaction of a service is behind the log, on the partitions that are here. */
import { isPublished, partitionOf } from '../../bus/partition.ts';
import { type Mark, PARTITIONS } from '../../bus/port.ts';
import type { EventStore } from '../../event-store/port.ts';
import type { Clock } from '../clock.ts';
import { eventsBehind, type Lag, NO_LAG, oneMore } from '../follow/lag.ts';
import type { Handlers } from './handlers.ts';
import type { Reaction } from './reaction.ts';

/**
 * The log is asked, not the bus: what a relay has not published, or a bus has lost, is behind too. An event
 * counts while its partition's mark is before it, also where it is done and one before it is not.
 *
 * @param markOf a partition's mark; undefined where it is not here.
 * @returns the lag of every reaction, by name
 * @throws what the store throws.
 */
export async function reactionLags(
  { store, clock }: { readonly store: EventStore; readonly clock: Clock },
  reactions: readonly Reaction[],
  handlers: Handlers,
  markOf: (partition: number) => Mark | undefined,
): Promise<ReadonlyMap<string, Lag>> {
  const lags = new Map(reactions.map(({ name }) => [name, NO_LAG]));
  const held = Array.from({ length: PARTITIONS }, (_, p) => markOf(p));
  const marks = held.filter((mark) => mark !== undefined);
  const { position: head } = await store.head();
  if (head === null || marks.length === 0) return lags;
  const from = marks.reduce((low, mark) => ((mark ?? '') < (low ?? '') ? mark : low));
  if (from !== null && from >= head) return lags;
  const now = clock.now();
  for await (const event of eventsBehind(store, from)) {
    if (!handlers.handles(event.type) || !isPublished(event.stream)) continue;
    const mark = held[partitionOf(event.homeid)];
    if (mark === undefined || (mark !== null && event.position <= mark)) continue;
    for (const { name } of handlers.of(event)) {
      lags.set(name, oneMore(lags.get(name) ?? NO_LAG, event, now));
    }
  }
  return lags;
}
