/** Reading images, nodes and ranges, and what is held over all tenants. */
import { imageEvents, nodeEvents } from '@bivouac/events/containers';
import { changesOf, historyOf, type QueryContext, queryHandler } from '@bivouac/infra/runtime';
import { pageOf, type Table, type View } from '@bivouac/infra/views';

import {
  ImageById,
  ImageChanges,
  ImageHistory,
  Images,
  type ImageView,
  Leftovers,
  NodeById,
  NodeChanges,
  NodeHistory,
  Nodes,
  type NodeView,
  RangeById,
  Ranges,
  type RangeView,
} from '../api/index.ts';
import { streamOf } from '../commands/aggregates.ts';
import { instructions } from '../projections/instructions.ts';
import { nodes } from '../projections/nodes.ts';
import { images, type RangeRow, ranges, rosters } from '../projections/platform.ts';

const everything = (): boolean => true;

export const imageById = queryHandler(ImageById, (view, { imageId }, context) => {
  const row = visibleImage(view, imageId, context);
  return row === undefined ? null : shownImage(row, context);
});

export const imageList = queryHandler(Images, (view, { page, status }, context) => {
  const only = isStaff(context) ? status : 'published';
  // Others are offered what can be ordered: of another status they see none.
  const seen = (row: ImageView): boolean => status === undefined || row.status === status;
  const rows =
    only === undefined
      ? pageOf(view, images, 'byPosition', [], page, everything)
      : pageOf(view, images, 'byStatus', [only], page, seen);
  return {
    ...rows,
    items: rows.items.map(({ cursor, node }) => ({ cursor, node: shownImage(node, context) })),
  };
});

export const imageHistory = queryHandler(ImageHistory, async (view, { imageId, page }, context) => {
  if (visibleImage(view, imageId, context) === undefined) return null;
  return historyOf(context, streamOf.image(imageId), imageEvents, page);
});

export const imageChanges = queryHandler(ImageChanges, async (view, { imageId, page }, context) => {
  if (visibleImage(view, imageId, context) === undefined) return null;
  return { ...(await changesOf(context, streamOf.image(imageId), page)), over: false };
});

export const nodeById = queryHandler(
  NodeById,
  (view, { nodeId }) => view.get(nodes, nodeId) ?? null,
);

export const nodeList = queryHandler(Nodes, (view, { page, location, label, drained }) => {
  const wanted = (row: NodeView): boolean =>
    (label === undefined || row.labels.includes(label)) &&
    (drained === undefined || (row.drained !== null) === drained);
  return location === undefined
    ? pageOf(view, nodes, 'byPosition', [], page, wanted)
    : pageOf(view, nodes, 'byLocation', [location], page, wanted);
});

export const nodeHistory = queryHandler(NodeHistory, async (view, { nodeId, page }, context) => {
  if (view.get(nodes, nodeId) === undefined) return null;
  return historyOf(context, streamOf.node(nodeId), nodeEvents, page);
});

export const nodeChanges = queryHandler(NodeChanges, async (view, { nodeId, page }, context) => {
  if (view.get(nodes, nodeId) === undefined) return null;
  return { ...(await changesOf(context, streamOf.node(nodeId), page)), over: false };
});

export const rangeById = queryHandler(RangeById, (view, { rangeId }) => {
  const row = view.get(ranges, rangeId);
  return row === undefined ? null : shownRange(row);
});

export const rangeList = queryHandler(Ranges, (view, { page, family, location }) => {
  const there = (row: RangeRow): boolean => location === undefined || row.location === location;
  const rows =
    family === undefined
      ? pageOf(view, ranges, 'byPosition', [], page, there)
      : pageOf(view, ranges, 'byFamily', [family], page, there);
  return {
    ...rows,
    items: rows.items.map(({ cursor, node }) => ({ cursor, node: shownRange(node) })),
  };
});

function shownRange({ opened: _opened, ...row }: RangeRow): RangeView {
  return row;
}

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
  // What could be ordered once is in containers' facts, whatever became of it.
  return (row !== undefined && row.publishedAt !== null) || isStaff(context) ? row : undefined;
}

function shownImage(row: ImageView, context: QueryContext): ImageView {
  return isStaff(context) ? row : { ...row, source: null, technician: null };
}
