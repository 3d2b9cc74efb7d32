/** Reading images, nodes and ranges, and what is held over all tenants. */
import { imageEvents, nodeEvents } from '@bivouac/events/containers';
import { historyOf, type QueryContext, queryHandler } from '@bivouac/infra/runtime';
import { pageOf, type Table, type View } from '@bivouac/infra/views';

import {
  ImageById,
  ImageHistory,
  Images,
  type ImageView,
  Leftovers,
  NodeById,
  NodeHistory,
  Nodes,
  Ranges,
} from '../api/index.ts';
import { streamOf } from '../commands/aggregates.ts';
import { instructions } from '../projections/instructions.ts';
import { images, nodes, type RangeRow, ranges, rosters } from '../projections/platform.ts';

const everything = (): boolean => true;

export const imageById = queryHandler(ImageById, (view, { imageId }, context) => {
  const row = visibleImage(view, imageId, context);
  return row === undefined ? null : shownImage(row, context);
});

export const imageList = queryHandler(Images, (view, { page }, context) => {
  const rows = isStaff(context)
    ? pageOf(view, images, 'byPosition', [], page, everything)
    : pageOf(view, images, 'byStatus', ['published'], page, everything);
  return {
    ...rows,
    items: rows.items.map(({ cursor, node }) => ({ cursor, node: shownImage(node, context) })),
  };
});

export const imageHistory = queryHandler(ImageHistory, async (view, { imageId, page }, context) => {
  if (visibleImage(view, imageId, context) === undefined) return null;
  return historyOf(context, streamOf.image(imageId), imageEvents, page);
});

export const nodeById = queryHandler(
  NodeById,
  (view, { nodeId }) => view.get(nodes, nodeId) ?? null,
);

export const nodeList = queryHandler(Nodes, (view, { page, location }) =>
  location === undefined
    ? pageOf(view, nodes, 'byPosition', [], page, everything)
    : pageOf(view, nodes, 'byLocation', [location], page, everything),
);

export const nodeHistory = queryHandler(NodeHistory, async (view, { nodeId, page }, context) => {
  if (view.get(nodes, nodeId) === undefined) return null;
  return historyOf(context, streamOf.node(nodeId), nodeEvents, page);
});

export const rangeList = queryHandler(Ranges, (view, { page, family }) => {
  const rows =
    family === undefined
      ? pageOf(view, ranges, 'byPosition', [], page, everything)
      : pageOf(view, ranges, 'byFamily', [family], page, everything);
  const shown = ({ opened: _opened, ...row }: RangeRow) => row;
  return {
    ...rows,
    items: rows.items.map(({ cursor, node }) => ({ cursor, node: shown(node) })),
  };
});

export const leftovers = queryHandler(Leftovers, (view) => ({
  leases: sum(view, ranges, 'byPosition', (row) => row.leased),
  placements: sum(view, nodes, 'byPosition', (row) => row.placements),
  rosterEntries: sum(view, rosters, 'byHome', (row) => row.containers),
  unansweredInstructions: sum(view, instructions, 'byPosition', () => 1),
}));

/** Adds up a number over a whole table, a page at a time. */
function sum<R extends object, I extends string>(
  view: View,
  table: Table<R, I>,
  index: I,
  of: (row: R) => number,
): number {
  let total = 0;
  let after: string | undefined;
  for (;;) {
    const rows = view.range(table, index, [], { after, limit: 500 });
    for (const { row } of rows) total += of(row);
    after = rows.at(-1)?.cursor;
    if (rows.length < 500) return total;
  }
}

function isStaff({ principal }: QueryContext): boolean {
  return principal.audience === 'staff' || principal.audience === 'auditor';
}

function visibleImage(view: View, imageId: string, context: QueryContext): ImageView | undefined {
  const row = view.get(images, imageId);
  return row?.status === 'published' || isStaff(context) ? row : undefined;
}

function shownImage(row: ImageView, context: QueryContext): ImageView {
  return isStaff(context) ? row : { ...row, source: null, technician: null };
}
