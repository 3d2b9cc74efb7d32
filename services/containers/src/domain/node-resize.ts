/**
 * Another size for a placement where it stands. What is gained is taken before the node is told, what
 * is lost is given back only when the container has it: until then the larger of both counts. The
 * attempts of an operation claim the same resize; it is dropped when the last claim is.
 */
import {
  NodeCapacityResized,
  NodeCapacityResizeVoided,
  NodeCapacityResizing,
  type nodeEvents,
} from '@bivouac/events/containers';
import {
  accept,
  type Decision,
  type DecideContext,
  type EventOf,
  is,
  refuse,
} from '@bivouac/events/language';
import type { ResourceVector } from '@bivouac/events/values';

import { type Amounts, amountsOf, fits, larger, minus, plus } from './capacity.ts';
import { askExpired } from './expiry.ts';
import { placementNotHere, resizeVoided } from './node-refusals.ts';
import type { NodeState, PlacementState } from './node-state.ts';

/** What a placement takes now. */
export function takenBy({
  amounts,
  pending,
}: Pick<PlacementState, 'amounts' | 'pending'>): Amounts {
  return pending === undefined ? amounts : larger(amounts, pending.amounts);
}

export function evolveResize(state: NodeState, event: EventOf<(typeof nodeEvents)[number]>): void {
  if (is(event, NodeCapacityResizing)) {
    const { placementId, resizeId, claim, vector, notAfter } = event.data;
    change(state, placementId, (taken) => ({
      ...taken,
      pending: {
        resizeId,
        amounts: amountsOf(vector),
        claims: new Map(taken.pending?.claims).set(claim, notAfter),
      },
    }));
  } else if (is(event, NodeCapacityResized)) {
    const { placementId, resizeId } = event.data;
    change(state, placementId, (taken) => ({
      ...taken,
      amounts: taken.pending?.amounts ?? taken.amounts,
      pending: undefined,
      resizedBy: resizeId,
    }));
  } else if (is(event, NodeCapacityResizeVoided)) {
    const { placementId, claim, reason, notAfter } = event.data;
    state.voidedClaims.set(claim, { reason, notAfter });
    change(state, placementId, (taken) => {
      const claims = new Map(taken.pending?.claims);
      claims.delete(claim);
      const left = taken.pending === undefined || claims.size === 0;
      return { ...taken, pending: left ? undefined : { ...taken.pending, claims } };
    });
  }
}

/**
 * Takes what the new size has more, or says once and for all that there was no room for this claim.
 * A drained node resizes what it has. Refused: PLACEMENT_NOT_HERE, ASK_EXPIRED, RESIZE_VOIDED,
 * RESIZE_PENDING (another resize has not ended).
 */
export function resizeCapacity(
  state: NodeState,
  input: {
    readonly nodeId: string;
    readonly placementId: string;
    readonly containerId: string;
    readonly resizeId: string;
    readonly claim: string;
    readonly vector: ResourceVector;
    readonly notAfter: string;
  },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { nodeId, placementId, resizeId, claim, notAfter } = input;
  const taken = state.placements.get(placementId);
  if (taken === undefined) return placementNotHere(nodeId, placementId);
  if (taken.resizedBy === resizeId || taken.pending?.claims.has(claim) === true) return accept();
  const voided = state.voidedClaims.get(claim);
  if (voided?.reason === 'no-room') return accept();
  if (voided !== undefined) {
    return resizeVoided(claim);
  }
  if (context.now > notAfter) return askExpired(notAfter);
  if (taken.pending !== undefined && taken.pending.resizeId !== resizeId) {
    return refuse(
      'RESIZE_PENDING',
      `Another resize of the placement ${placementId} has not ended; ask again in a moment.`,
      { retryable: true },
    );
  }
  const wanted = amountsOf(input.vector);
  const gained = minus(larger(takenBy(taken), wanted), takenBy(taken));
  return accept(
    fits(minus(state.total, state.used), gained)
      ? NodeCapacityResizing(input)
      : NodeCapacityResizeVoided({ nodeId, placementId, claim, reason: 'no-room', notAfter }),
  );
}

/** `done`: the container has the new size. `void`: this claim on it has come to nothing. */
export function settleResize(
  state: NodeState,
  input: {
    readonly nodeId: string;
    readonly placementId: string;
    readonly claim: string;
    readonly outcome: 'done' | 'void';
  },
): Decision {
  const { nodeId, placementId, claim, outcome } = input;
  const pending = state.placements.get(placementId)?.pending;
  const notAfter = pending?.claims.get(claim);
  if (pending === undefined || notAfter === undefined) return accept();
  return accept(
    outcome === 'done'
      ? NodeCapacityResized({ nodeId, placementId, resizeId: pending.resizeId })
      : NodeCapacityResizeVoided({ nodeId, placementId, claim, reason: 'released', notAfter }),
  );
}

function change(
  state: NodeState,
  placementId: string,
  next: (taken: PlacementState) => PlacementState,
): void {
  const taken = state.placements.get(placementId);
  if (taken === undefined) return;
  const changed = next(taken);
  state.used = plus(minus(state.used, takenBy(taken)), takenBy(changed));
  state.placements.set(placementId, changed);
}
