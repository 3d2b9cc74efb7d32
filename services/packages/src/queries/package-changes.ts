/** A container's packages over time: what each record changed against the one before it. */
import { is, type Recorded } from '@bivouac/events/language';
import { ContainerInventoryRecorded, type Package } from '@bivouac/events/packages';
import { type QueryContext, queryHandler } from '@bivouac/infra/runtime';

import { PackageChangesOfContainer } from '../api/index.ts';
import { inventoryMissing, inventoryStream } from '../domain/inventory.ts';
import { applied, type Difference, differenceOf } from '../domain/package-list.ts';
import { listOf } from '../lists.ts';
import { inventories } from '../projections/inventories.ts';
import { viewOf } from './list-page.ts';

interface Record {
  readonly cursor: string;
  readonly base: string;
  readonly difference: Difference;
  readonly observedAt: string;
  readonly operationId: string | undefined;
}

export const packageChangesOfContainer = queryHandler(
  PackageChangesOfContainer,
  async (view, { containerId, page }, context) => {
    const row = view.get(inventories, containerId);
    if (row === undefined || !context.reaches(row.tenantId)) return null;
    const stream = inventoryStream(containerId);
    const { events, end } = await context.history(stream, page);
    const records = recordsOf(page.reverse ? [...events].reverse() : events);
    const first = records[0];
    const before = first === undefined ? undefined : await recordBefore(stream, first, context);
    const items = [];
    let previous = before;
    for (const record of records) {
      const change = await changeOf(previous, record, context);
      if (typeof change === 'string') return inventoryMissing(change);
      items.push({
        cursor: record.cursor,
        node: {
          observedAt: record.observedAt,
          operationId: record.operationId ?? null,
          added: change.added.map(viewOf),
          removed: change.removed.map(viewOf),
        },
      });
      previous = record;
    }
    return {
      items,
      hasNext: page.reverse ? page.before !== undefined : !end,
      hasPrevious: page.reverse ? !end : page.after !== undefined,
    };
  },
);

function recordsOf(events: readonly Recorded[]): Record[] {
  return events.flatMap((event) => {
    if (!is(event, ContainerInventoryRecorded)) return [];
    const { base, added, removed, observedAt, operationId } = event.data;
    const cursor = event.revision.toString();
    return [{ cursor, base, difference: { added, removed }, observedAt, operationId }];
  });
}

async function recordBefore(
  stream: string,
  { cursor }: Record,
  context: QueryContext,
): Promise<Record | undefined> {
  const { events } = await context.history(stream, { before: cursor, limit: 1, reverse: true });
  return recordsOf(events)[0];
}

/** What changed, or the digest of a list that is missing. The first record is no change. */
async function changeOf(
  previous: Record | undefined,
  record: Record,
  { ports }: QueryContext,
): Promise<Difference | string> {
  if (previous === undefined) return { added: [], removed: [] };
  // Against one list the differences alone tell it: the list need not be read.
  if (previous.base === record.base) return between(previous.difference, record.difference);
  const listed = async ({ base, difference }: Record): Promise<readonly Package[] | undefined> => {
    const list = await listOf(base, ports.blobs);
    return list && applied(list, difference);
  };
  const [before, after] = [await listed(previous), await listed(record)];
  if (before === undefined) return previous.base;
  if (after === undefined) return record.base;
  return differenceOf(before, after);
}

/** Two differences to one list: what the second adds or takes more, or no longer. */
function between(before: Difference, after: Difference): Difference {
  const added = differenceOf(before.added, after.added);
  const removed = differenceOf(before.removed, after.removed);
  return {
    added: [...added.added, ...removed.removed],
    removed: [...added.removed, ...removed.added],
  };
}
