/**
 * Takes a place on a node that has room, and gives it back. Candidates come from the view and are put
 * on record; each node's own stream decides. See domain/seeking.ts for why no placement is ever on
 * two nodes, and none is taken after it was given back.
 */
import type { PlacementCandidate } from '@bivouac/events/containers';
import type { refuse, Refusal } from '@bivouac/events/language';
import { type PolicyContext, responder } from '@bivouac/infra/runtime';

import { node, placement, streamOf } from '../commands/aggregates.ts';
import {
  AbandonPlacement,
  ReleasePlacement,
  SeekPlacement,
  TakeCapacity,
} from '../commands/capacity.ts';
import { placementVoided } from '../domain/node-refusals.ts';
import { candidatesIn, noRoom, type Place } from './node-candidates.ts';

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
    if (!reply.ok) {
      // It is late: what one who has died since decided in time may still be on its way to this node.
      const trouble = await givePlaceBack({ placementId }, context, facts);
      return { refusal: trouble ?? reply.refusal };
    }
    const { outcome } = reply.result;
    if (outcome === 'no-room') continue;
    const fresh = outcome === 'taken' && !reply.repeated;
    if (fresh || (await standsOn(nodeId, placementId, context))) return { place: candidate };
    // Of what an earlier delivery took there is no more: it gave it back before it could say so.
    if (outcome === 'taken') return { refusal: placementVoided(placementId).refusal };
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
    if (reply.ok && !reply.result.late) return undefined;
    if (!reply.ok && reply.refusal.code !== 'PLACEMENT_NOT_HERE') return reply.refusal;
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
