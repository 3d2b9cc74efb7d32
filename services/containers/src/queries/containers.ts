/** Reading containers: one, a list, what happened to one. */
import { containerEvents, laterLifeEvents } from '@bivouac/events/containers';
import { type PageArgs, refuse } from '@bivouac/events/language';
import { beganWithin, type CreatedRange } from '@bivouac/events/operations';
import { changesOf, historyOf, type QueryContext, queryHandler } from '@bivouac/infra/runtime';
import { pageOf, type View } from '@bivouac/infra/views';

import {
  ContainerById,
  ContainerChanges,
  ContainerHistory,
  Containers,
  type ContainerView,
  type Lifecycle,
} from '../api/index.ts';
import { streamOf } from '../commands/aggregates.ts';
import { possibleActs } from '../domain/container/index.ts';
import { type ContainerRow, containers } from '../projections/container-rows.ts';
import { nodes } from '../projections/nodes.ts';

export const containerById = queryHandler(ContainerById, (view, { containerId }, context) => {
  const row = visibleRow(view, containerId, context);
  return row === undefined ? null : shown(view, row, context);
});

export const containerList = queryHandler(
  Containers,
  (view, { page, tenantId, lifecycle, nodeId, ...created }, context) => {
    const { audience } = context.principal;
    if (nodeId !== undefined && audience !== 'staff' && audience !== 'auditor') {
      return refuse('NOT_ALLOWED', 'Where containers run is for the staff; leave out the node.', {
        path: ['input', 'nodeId'],
      });
    }
    const rows =
      nodeId === undefined
        ? pageOfRows(view, context, page, { tenantId, lifecycle, ...created })
        : pageOf(
            view,
            containers,
            'byNode',
            [nodeId],
            page,
            (row) =>
              beganWithin(created, row.createdAt) &&
              (tenantId === undefined || row.tenantId === tenantId) &&
              (lifecycle === undefined || row.lifecycle === lifecycle),
          );
    return {
      ...rows,
      items: rows.items.map(({ cursor, node }) => ({ cursor, node: shown(view, node, context) })),
    };
  },
);

const history = [...containerEvents, ...laterLifeEvents];

export const containerHistory = queryHandler(
  ContainerHistory,
  async (view, { containerId, page }, context) => {
    if (visibleRow(view, containerId, context) === undefined) return null;
    return historyOf(context, streamOf.container(containerId), history, page);
  },
);

export const containerChanges = queryHandler(
  ContainerChanges,
  async (view, { containerId, page }, context) => {
    const row = visibleRow(view, containerId, context);
    if (row === undefined) return null;
    return {
      ...(await changesOf(context, streamOf.container(containerId), page)),
      over: row.endedAt !== null,
    };
  },
);

function pageOfRows(
  view: View,
  context: QueryContext,
  page: PageArgs,
  {
    tenantId,
    lifecycle,
    ...created
  }: CreatedRange & {
    readonly tenantId: string | undefined;
    readonly lifecycle: Lifecycle | undefined;
  },
) {
  const { principal } = context;
  const reached = (row: ContainerRow): boolean =>
    context.reaches(row.tenantId) && beganWithin(created, row.createdAt);
  const both = (row: ContainerRow): boolean =>
    reached(row) && (lifecycle === undefined || row.lifecycle === lifecycle);
  // A leaf of a tree reaches itself only: its own index is exact.
  const only =
    tenantId ??
    (principal.reach !== 'all' && principal.reach.size === 1
      ? principal.reach.values().next().value
      : undefined);
  if (only !== undefined) {
    return lifecycle === undefined
      ? pageOf(view, containers, 'byTenant', [only], page, reached)
      : pageOf(view, containers, 'byTenantLifecycle', [only, lifecycle], page, reached);
  }
  if (principal.reach !== 'all') {
    return pageOf(view, containers, 'byHome', [principal.homeId], page, both);
  }
  return lifecycle === undefined
    ? pageOf(view, containers, 'byPosition', [], page, reached)
    : pageOf(view, containers, 'byLifecycle', [lifecycle], page, reached);
}

function visibleRow(
  view: View,
  containerId: string,
  context: QueryContext,
): ContainerRow | undefined {
  const row = view.get(containers, containerId);
  return row !== undefined && context.reaches(row.tenantId) ? row : undefined;
}

/** A row as the caller may see it: which machine it is on is the staff's business. */
function shown(view: View, row: ContainerRow, context: QueryContext): ContainerView {
  const { nodeId, maker: _maker, former: _former, beforeDeletion: _before, ...shownTo } = row;
  const { difference: _difference, ...rest } = shownTo;
  const staff = context.principal.audience === 'staff' || context.principal.audience === 'auditor';
  const node = staff && nodeId !== null ? view.get(nodes, nodeId) : undefined;
  const possible = possibleActs(
    {
      lifecycle: row.lifecycle,
      held: row.holds.length > 0,
      busy: row.operation !== null,
      addresses: row.addresses.length,
      restoreUntil: row.restoreUntil,
    },
    context.now(),
  );
  return { ...rest, possible, node: node === undefined ? null : { id: node.id, name: node.name } };
}
