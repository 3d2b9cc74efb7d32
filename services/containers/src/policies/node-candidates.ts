/** Which nodes may take a placement, in which order, and the refusal where none does. */
import { MAX_CANDIDATES, type PlacementCandidate } from '@bivouac/events/containers';
import { refuse } from '@bivouac/events/language';
import type { AskInput } from '@bivouac/events/operations';
import { amountOf, type ResourceVector } from '@bivouac/events/values';
import type { View } from '@bivouac/infra/views';

import type { NodeView } from '../api/index.ts';
import { amountsOf, fits, nodeAxes, promisable } from '../domain/capacity.ts';
import { nodes } from '../projections/nodes.ts';
import { spread } from './spread.ts';

/** What is to be placed, and where. */
export type Place = Pick<
  AskInput<'containers.prepare'>,
  'placementId' | 'containerId' | 'vector' | 'location' | 'placement' | 'labels' | 'features'
> & {
  /** Where no location is named: those that have what else it needs, to be asked first. */
  readonly locations?: ReadonlySet<string> | undefined;
};

/** Nodes with room for it in the order to be asked, and the most that one node has free. */
export function candidatesIn(
  view: View,
  { placementId, vector, location, locations, placement, labels, features }: Place,
): { readonly fitting: PlacementCandidate[]; readonly best: ResourceVector | undefined } {
  const asked = amountsOf(vector);
  const fitting: NodeView[] = [];
  let best: NodeView | undefined;
  let after: string | undefined;
  for (;;) {
    const rows =
      location === undefined
        ? view.range(nodes, 'byPosition', [], { after, limit: 500 })
        : view.range(nodes, 'byLocation', [location], { after, limit: 500 });
    for (const { row } of rows) {
      if (row.drained !== null || isRevoked(row)) continue;
      if (!has(row.labels, labels) || !has(row.features, features)) continue;
      if (fits(amountsOf(row.free), asked)) fitting.push(row);
      if (best === undefined || share(row) > share(best)) best = row;
    }
    after = rows.at(-1)?.cursor;
    if (rows.length < 500) break;
  }
  const ordered =
    placement === 'packed'
      ? [...fitting].sort((a, b) => share(a) - share(b) || (a.id < b.id ? -1 : 1))
      : spread(placementId, fitting, (row) => ({ id: row.id, weight: share(row) }));
  // Where addresses are too few the lease will refuse, and where no agent has enrolled yet an order waits
  // for one to come: both only if nobody else takes it.
  const last = (row: NodeView): number =>
    (locations === undefined || locations.has(row.location) ? 0 : 2) +
    (row.identity === null ? 1 : 0);
  return {
    fitting: [...ordered]
      .sort((a, b) => last(a) - last(b))
      .slice(0, MAX_CANDIDATES)
      .map((row) => ({ nodeId: row.id, nodeName: row.name, location: row.location })),
    best: best?.free,
  };
}

/** Whether its agent was shown out and none has been enrolled since: nobody does what is ordered there. */
function isRevoked({ identity, revokedKeys }: NodeView): boolean {
  return identity === null && revokedKeys.length > 0;
}

/** Whether a node has all that is required. */
function has(list: readonly string[], required: readonly string[] | undefined): boolean {
  return required === undefined || required.every((one) => list.includes(one));
}

/** How much of a node is free, by its scarcest resource, from 0 to 1. */
function share(row: NodeView): number {
  const total = promisable(row.capacity, row.cpuOvercommitPercent);
  const free = amountsOf(row.free);
  return Math.min(...nodeAxes.map((axis) => Number(free[axis]) / Number(total[axis] || 1n)));
}

export function noRoom(place: Place, best: ResourceVector | undefined) {
  const { vector, location, labels = [], features = [] } = place;
  const where = location === undefined ? '' : ` in ${location}`;
  const required = [...labels, ...features];
  if (best === undefined && required.length > 0) {
    return refuse(
      'NO_NODE_WITH_ROOM',
      `There is no node${where} that has ${required.join(', ')}; require less, or choose another location.`,
      { path: ['input', labels.length > 0 ? 'labels' : 'features'] },
    );
  }
  if (best === undefined) {
    return refuse(
      'NO_NODE_WITH_ROOM',
      `There is no node${where} that takes it; choose another location, or require less.`,
      {
        path: ['input', 'location'],
      },
    );
  }
  const short = nodeAxes.filter((axis) => amountOf(vector, axis) > amountOf(best, axis));
  return refuse(
    'NO_NODE_WITH_ROOM',
    `No node${where} has room for it${short.length === 0 ? '' : ` (too little ${short.join(', ')})`}; choose a smaller plan or another location, or order later.`,
    { details: { asked: vector, bestFree: best }, retryable: true },
  );
}
