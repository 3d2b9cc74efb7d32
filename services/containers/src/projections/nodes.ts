/** Nodes with what is free on them, what staff and agents say of them, and instances that stray. */
import {
  NodeCapacityFreed,
  NodeCapacityResized,
  NodeCapacityResizeVoided,
  NodeCapacityResizing,
  NodeCapacityTaken,
  NodeDrained,
  NodeEnrolled,
  NodeEnrolmentOpened,
  NodeIdentityRevoked,
  NodeInventoryChanged,
  NodeLabelled,
  NodeRegistered,
  NodeUndrained,
  StrayDestructionEnded,
  StrayDestructionOrdered,
  StrayInstanceGone,
  StrayInstanceSeen,
} from '@bivouac/events/containers';
import { plusSeconds, type ResourceVector } from '@bivouac/events/values';
import { on, projection, timers } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import type { NodeView, StrayView } from '../api/index.ts';
import { SettleOverdueResize } from '../commands/resizing.ts';
import {
  type Amounts,
  amountsOf,
  larger,
  minus,
  noAmounts,
  plus,
  promisable,
  vectorOf,
} from '../domain/capacity.ts';

/** A claim on a resize is looked after so long after its deadline, in seconds. */
const OVERDUE_SECONDS = 60;

export const nodes = table<NodeView>()({
  name: 'nodes',
  key: (row) => row.id,
  indexes: {
    byPosition: (row) => [row.position],
    byLocation: (row) => [row.location, row.position],
  },
});

interface PlacementRow {
  readonly placementId: string;
  readonly nodeId: string;
  readonly vector: ResourceVector;
  /** Another size it is to have, and who claims it. */
  readonly pending: { readonly vector: ResourceVector; readonly claims: readonly string[] } | null;
}

/** Standing placements: freeing says the id only. */
const placements = table<PlacementRow>()({
  name: 'placements',
  key: (row) => row.placementId,
  indexes: { byNode: (row) => [row.nodeId, row.placementId] },
});

export const strays = table<StrayView>()({
  name: 'strays',
  key: (row) => strayKey(row.nodeId, row.containerId),
  indexes: {
    byNode: (row) => [row.nodeId, row.containerId],
  },
});

export const nodesProjection = projection({
  name: 'containers.nodes',
  tables: [nodes, placements, strays, timers],
  on: [
    on(NodeRegistered, (event, view) => {
      const { nodeId, ...facts } = event.data;
      view.put(nodes, {
        id: nodeId,
        ...facts,
        used: vectorOf(noAmounts),
        free: vectorOf(promisable(facts.capacity, facts.cpuOvercommitPercent)),
        placements: 0,
        labels: [],
        drained: null,
        inventory: null,
        identity: null,
        enrolment: null,
        revokedKeys: [],
        createdAt: event.time,
        position: event.position,
      });
    }),
    on(NodeCapacityTaken, (event, view) => {
      const { nodeId, placementId, vector } = event.data;
      place(view, { placementId, nodeId, vector, pending: null });
    }),
    on(NodeCapacityFreed, (event, view) => {
      const row = view.get(placements, event.data.placementId);
      if (row === undefined) return;
      view.delete(placements, row.placementId);
      useOf(view, row.nodeId, (used) => minus(used, takenBy(row)), -1);
      for (const claim of row.pending?.claims ?? []) view.delete(timers, timerId(claim));
    }),
    on(NodeCapacityResizing, (event, view) => {
      const { placementId, claim, vector, notAfter, ...facts } = event.data;
      const row = view.get(placements, placementId);
      if (row === undefined) return;
      const claims = [...(row.pending?.claims ?? []), claim];
      place(view, { ...row, pending: { vector, claims } }, row);
      const { nodeId, containerId, resizeId } = facts;
      view.put(timers, {
        id: timerId(claim),
        due: plusSeconds(notAfter, OVERDUE_SECONDS),
        homeId: event.homeid,
        command: SettleOverdueResize.name,
        input: { nodeId, placementId, containerId, resizeId, claim },
      });
    }),
    on(NodeCapacityResized, (event, view) => {
      const row = view.get(placements, event.data.placementId);
      if (row === undefined) return;
      for (const claim of row.pending?.claims ?? []) view.delete(timers, timerId(claim));
      place(view, { ...row, vector: row.pending?.vector ?? row.vector, pending: null }, row);
    }),
    on(NodeCapacityResizeVoided, (event, view) => {
      const { placementId, claim } = event.data;
      const row = view.get(placements, placementId);
      view.delete(timers, timerId(claim));
      if (row?.pending?.claims.includes(claim) !== true) return;
      const claims = row.pending.claims.filter((one) => one !== claim);
      const pending = claims.length === 0 ? null : { ...row.pending, claims };
      place(view, { ...row, pending }, row);
    }),
    on(NodeInventoryChanged, (event, view) => {
      const { nodeId, inventory } = event.data;
      change(view, nodeId, (row) => ({
        ...row,
        // What the machine says counts more than what was typed.
        features: inventory.features,
        inventory: { ...inventory, at: event.time },
      }));
    }),
    on(NodeLabelled, (event, view) => {
      change(view, event.data.nodeId, (row) => ({ ...row, labels: event.data.labels }));
    }),
    on(NodeDrained, (event, view) => {
      const { nodeId, reason } = event.data;
      change(view, nodeId, (row) => ({ ...row, drained: { reason, at: event.time } }));
    }),
    on(NodeUndrained, (event, view) => {
      change(view, event.data.nodeId, (row) => ({ ...row, drained: null }));
    }),
    on(NodeEnrolmentOpened, ({ data: { nodeId, expiresAt } }, view) => {
      change(view, nodeId, (row) => ({ ...row, enrolment: { expiresAt } }));
    }),
    on(NodeEnrolled, ({ data: { nodeId, publicKey }, time }, view) => {
      const identity = { publicKey, since: time };
      change(view, nodeId, (row) => ({ ...row, identity, enrolment: null }));
    }),
    on(NodeIdentityRevoked, ({ data: { nodeId, publicKey }, time }, view) => {
      change(view, nodeId, (row) => ({
        ...row,
        identity: null,
        enrolment: null,
        revokedKeys:
          publicKey === null ? row.revokedKeys : [...row.revokedKeys, { publicKey, at: time }],
      }));
    }),
    on(StrayInstanceSeen, (event, view) => {
      const { nodeId, containerId } = event.data;
      const destruction = view.get(strays, strayKey(nodeId, containerId))?.destruction ?? null;
      view.put(strays, { ...event.data, seenAt: event.time, destruction });
    }),
    on(StrayDestructionOrdered, (event, view) => {
      const destruction = { orderedAt: event.time, outcome: null, message: null };
      destroying(view, event.data, () => destruction);
    }),
    on(StrayDestructionEnded, (event, view) => {
      const { outcome, message = null } = event.data;
      if (outcome === 'done') return;
      destroying(view, event.data, (known) => known && { ...known, outcome, message });
    }),
    on(StrayInstanceGone, (event, view) => {
      view.delete(strays, strayKey(event.data.nodeId, event.data.containerId));
    }),
  ],
});

function strayKey(nodeId: string, containerId: string): string {
  return `${nodeId}/${containerId}`;
}

function destroying(
  view: WritableView,
  { nodeId, containerId }: { readonly nodeId: string; readonly containerId: string },
  next: (known: StrayView['destruction']) => StrayView['destruction'],
): void {
  const row = view.get(strays, strayKey(nodeId, containerId));
  if (row !== undefined) view.put(strays, { ...row, destruction: next(row.destruction) });
}

function change(view: WritableView, nodeId: string, next: (row: NodeView) => NodeView): void {
  const row = view.get(nodes, nodeId);
  if (row !== undefined) view.put(nodes, next(row));
}

/** Puts a placement where it was not, or in the place of what it was. */
function place(view: WritableView, row: PlacementRow, before?: PlacementRow): void {
  view.put(placements, row);
  const was = before === undefined ? noAmounts : takenBy(before);
  useOf(view, row.nodeId, (used) => plus(minus(used, was), takenBy(row)), before ? 0 : 1);
}

/** What a placement takes now: while it is resized, the larger of both. */
function takenBy({ vector, pending }: PlacementRow): Amounts {
  const amounts = amountsOf(vector);
  return pending === null ? amounts : larger(amounts, amountsOf(pending.vector));
}

function useOf(
  view: WritableView,
  nodeId: string,
  next: (used: Amounts) => Amounts,
  placed: 1 | 0 | -1,
): void {
  change(view, nodeId, (row) => {
    const used = next(amountsOf(row.used));
    const free = minus(promisable(row.capacity, row.cpuOvercommitPercent), used);
    const count = row.placements + placed;
    return { ...row, used: vectorOf(used), free: vectorOf(free), placements: count };
  });
}

function timerId(claim: string): string {
  return `resize/${claim}`;
}
