/** Whose a node's containers are, and which nodes have containers of the same tree. */
import { MOST_CONCERNED } from '@bivouac/events/quotas';
import { queryHandler } from '@bivouac/infra/runtime';
import type { View } from '@bivouac/infra/views';

import { SubjectsOfUsage } from '../api/index.ts';
import { containers } from '../projections/container-rows.ts';

/** Containers of a tree that are looked at to find its nodes. */
const MOST_LOOKED_AT = 2_000;

export const subjectsOfUsage = queryHandler(
  SubjectsOfUsage,
  (view, { nodeId, containerIds, homeIds }) => {
    const subjects = containerIds.flatMap((containerId) => {
      const row = view.get(containers, containerId);
      // A node says nothing of what is, or was, on another.
      if (row?.nodeId !== nodeId) return [];
      return [{ containerId, tenantId: row.tenantId, homeId: row.homeId }];
    });
    const homes = new Set([...homeIds, ...subjects.map(({ homeId }) => homeId)]);
    return {
      containers: subjects,
      homes: [...homes].sort().map((homeId) => ({ homeId, nodes: nodesOf(view, homeId) })),
    };
  },
);

function nodesOf(view: View, homeId: string): string[] | null {
  const rows = view.range(containers, 'byHome', [homeId], { limit: MOST_LOOKED_AT, reverse: true });
  const nodes = new Set<string>();
  for (const { row } of rows) {
    if (row.nodeId !== null && row.endedAt === null) nodes.add(row.nodeId);
  }
  const tooMany = rows.length === MOST_LOOKED_AT || nodes.size > MOST_CONCERNED;
  return tooMany ? null : [...nodes].sort();
}
