/**
 * Takes a place on a node that has room, and gives it back. Candidates come from the view and are put
 * on record; each node's own stream decides. See domain/seeking.ts for why no placement is ever on
 * two nodes, and none is taken after it was given back.
 */
import { MAX_CANDIDATES, type PlacementCandidate } from '@bivouac/events/containers';
import { refuse, type Refusal } from '@bivouac/events/language';
import type { AskInput } from '@bivouac/events/operations';
import { amountOf, type ResourceVector } from '@bivouac/events/values';
import { type PolicyContext, responder } from '@bivouac/infra/runtime';
import type { View } from '@bivouac/infra/views';

import type { NodeView } from '../api/index.ts';
import { node, placement, streamOf } from '../commands/aggregates.ts';
import {
  AbandonPlacement,
  ReleasePlacement,
  SeekPlacement,
  TakeCapacity,
} from '../commands/capacity.ts';
import { amountsOf, fits, nodeAxes, promisable } from '../domain/capacity.ts';
import { placementVoided } from '../domain/node-refusals.ts';
import { nodes } from '../projections/platform.ts';
import { spread } from './spread.ts';

/** What is to be placed, and where. */
export type Place = Pick<
  AskInput<'containers.prepare'>,
  'placementId' | 'containerId' | 'vector' | 'location'
>;

/** Whose the place is, and by when it must be taken. */
export interface PlaceFor {
  readonly tenantId: string;
  readonly homeId: string;
  readonly notAfter: string;
}

/** Walks the candidates until a node takes it. Refused: NO_NODE_WITH_ROOM, PLACEMENT_VOIDED. */
export async function takePlace(
  input: Place,
  context: PolicyContext,
  facts: PlaceFor,
): Promise<{ readonly place: PlacementCandidate } | { readonly refusal: Refusal }> {
  const { placementId, containerId, vector } = input;
  const found = await context.candidates((view) => candidatesIn(view, input));
  const sought = await seek(input, found.value.fitting, found.position, context, facts);
  if ('refusal' in sought) return { refusal: sought.refusal };
  for (const candidate of sought.candidates) {
    const { nodeId } = candidate;
    const taking = { nodeId, placementId, containerId, vector, notAfter: facts.notAfter };
    const reply = await context.execute(TakeCapacity, taking, nodeId);
    if (!reply.ok) return { refusal: reply.refusal };
    const taken =
      reply.result.outcome === 'standing'
        ? await standsOn(nodeId, placementId, context)
        : reply.result.outcome === 'taken';
    if (taken) return { place: candidate };
  }
  return { refusal: noRoom(input, found.value.best).refusal };
}

/** Gives a place back: on its node, or, where that is not known, wherever it may be, or never. */
export async function givePlaceBack(
  { placementId, nodeId }: { readonly placementId: string; readonly nodeId?: string | undefined },
  context: PolicyContext,
  { tenantId, homeId }: Pick<PlaceFor, 'tenantId' | 'homeId'>,
): Promise<Refusal | undefined> {
  if (nodeId !== undefined) {
    const reply = await context.execute(ReleasePlacement, { nodeId, placementId }, nodeId);
    return reply.ok ? undefined : reply.refusal;
  }
  const abandoned = await context.execute(AbandonPlacement, { placementId, tenantId, homeId });
  if (abandoned.ok) return undefined;
  const { state } = await context.load(placement, streamOf.placement(placementId));
  if (state.kind !== 'sought') return abandoned.refusal;
  for (const candidate of state.candidates) {
    const releasing = { nodeId: candidate.nodeId, placementId, notAfter: state.notAfter };
    const reply = await context.execute(ReleasePlacement, releasing, candidate.nodeId);
    // The first node that had not declined it has released it, or never takes it now.
    if (reply.ok) return undefined;
    if (reply.refusal.code !== 'PLACEMENT_NOT_HERE') return reply.refusal;
  }
  return undefined;
}

/** Needs no undo: what was given back stays so. */
export const unplace = responder('containers.unplace', {
  act: async (input, context, facts) => {
    const refusal = await givePlaceBack(input, context, facts);
    return refusal === undefined
      ? { outcome: 'done', result: {} }
      : { outcome: 'refused', refusal };
  },
});

/** The candidates on record: these, or those of an earlier delivery of the ask. */
async function seek(
  input: Place,
  fitting: readonly PlacementCandidate[],
  asOf: string | null,
  context: PolicyContext,
  ask: { readonly tenantId: string; readonly homeId: string; readonly notAfter: string },
): Promise<
  | { readonly candidates: readonly PlacementCandidate[] }
  | { readonly refusal: ReturnType<typeof refuse>['refusal'] }
> {
  const { placementId, containerId, vector } = input;
  if (fitting.length > 0) {
    const { tenantId, homeId, notAfter } = ask;
    const candidates = [...fitting];
    const reply = await context.execute(SeekPlacement, {
      ...{ tenantId, homeId, placementId, containerId, vector, candidates, asOf, notAfter },
    });
    if (!reply.ok) return { refusal: reply.refusal };
    if (reply.result.candidates !== undefined) return { candidates: reply.result.candidates };
  }
  const { state } = await context.load(placement, streamOf.placement(placementId));
  if (state.kind === 'abandoned') return placementVoided(placementId);
  return { candidates: state.kind === 'sought' ? state.candidates : [] };
}

async function standsOn(
  nodeId: string,
  placementId: string,
  context: PolicyContext,
): Promise<boolean> {
  return context.read(node, streamOf.node(nodeId), (state) => state.placements.has(placementId));
}

/** Nodes with room for it in the order to be asked, and the most that one node has free. */
function candidatesIn(
  view: View,
  { placementId, vector, location }: Place,
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
      if (fits(amountsOf(row.free), asked)) fitting.push(row);
      if (best === undefined || share(row) > share(best)) best = row;
    }
    after = rows.at(-1)?.cursor;
    if (rows.length < 500) break;
  }
  const ordered = spread(placementId, fitting, (row) => ({ id: row.id, weight: share(row) }));
  return {
    fitting: ordered
      .slice(0, MAX_CANDIDATES)
      .map((row) => ({ nodeId: row.id, nodeName: row.name, location: row.location })),
    best: best?.free,
  };
}

/** How much of a node is free, by its scarcest resource, from 0 to 1. */
function share(row: NodeView): number {
  const total = promisable(row.capacity, row.cpuOvercommitPercent);
  const free = amountsOf(row.free);
  return Math.min(...nodeAxes.map((axis) => Number(free[axis]) / Number(total[axis] || 1n)));
}

function noRoom({ vector, location }: Place, best: ResourceVector | undefined) {
  const where = location === undefined ? '' : ` in ${location}`;
  if (best === undefined) {
    return refuse('NO_NODE_WITH_ROOM', `There is no node${where}; choose another location.`, {
      path: ['input', 'location'],
    });
  }
  const short = nodeAxes.filter((axis) => amountOf(vector, axis) > amountOf(best, axis));
  return refuse(
    'NO_NODE_WITH_ROOM',
    `No node${where} has room for it${short.length === 0 ? '' : ` (too little ${short.join(', ')})`}; choose a smaller plan or another location, or order later.`,
    { details: { asked: vector, bestFree: best }, retryable: true },
  );
}
