/**
 * A node and the placements on it. Takes and gives back by placement id only; what it once said of a
 * placement (taken, no room, released) it says again for as long as a late repeat may come.
 */
import {
  NodeCapacityFreed,
  NodeCapacityTaken,
  type NodeCapacity,
  type nodeEvents,
  NodeRegistered,
  PlacementVoided,
} from '@bivouac/events/containers';
import {
  accept,
  type Decision,
  type DecideContext,
  type EventOf,
  is,
} from '@bivouac/events/language';
import type { ResourceVector } from '@bivouac/events/values';

import { amountsOf, fits, minus, noAmounts, plus, promisable } from './capacity.ts';
import { askExpired } from './expiry.ts';
import { evolveIdentity, noIdentity } from './node-identity.ts';
import { evolveKeeping, noKeeping } from './node-keeping.ts';
import { placementNotHere, placementVoided, unknownNode } from './node-refusals.ts';
import { evolveResize, takenBy } from './node-resize.ts';
import type { NodeState } from './node-state.ts';
import { forgetExpired } from './tombstones.ts';

export function emptyNode(): NodeState {
  return {
    registered: false,
    total: { ...noAmounts },
    used: { ...noAmounts },
    placements: new Map(),
    voided: new Map(),
    voidedClaims: new Map(),
    ...noKeeping(),
    ...noIdentity(),
  };
}

export function evolveNode(
  state: NodeState,
  event: EventOf<(typeof nodeEvents)[number]>,
): NodeState {
  if (is(event, NodeRegistered)) {
    state.registered = true;
    state.total = promisable(event.data.capacity, event.data.cpuOvercommitPercent);
  } else if (is(event, NodeCapacityTaken)) {
    const { placementId, vector, notAfter } = event.data;
    const amounts = amountsOf(vector);
    const taken = { amounts, notAfter, pending: undefined, resizedBy: undefined };
    state.placements.set(placementId, taken);
    state.used = plus(state.used, amounts);
  } else if (is(event, NodeCapacityFreed)) {
    const { placementId } = event.data;
    const taken = state.placements.get(placementId);
    if (taken !== undefined) {
      state.placements.delete(placementId);
      state.used = minus(state.used, takenBy(taken));
      state.voided.set(placementId, { reason: 'released', notAfter: taken.notAfter });
    }
  } else if (is(event, PlacementVoided)) {
    const { placementId, reason, notAfter } = event.data;
    state.voided.set(placementId, { reason, notAfter });
  } else {
    evolveResize(state, event);
    evolveKeeping(state, event);
    evolveIdentity(state, event);
  }
  forgetExpired(state.voided, event.time);
  forgetExpired(state.voidedClaims, event.time);
  return state;
}

export function registerNode(
  state: NodeState,
  input: {
    readonly nodeId: string;
    readonly name: string;
    readonly location: string;
    readonly engine: string;
    readonly features: readonly string[];
    readonly capacity: NodeCapacity;
    readonly cpuOvercommitPercent: number;
  },
): Decision {
  if (state.registered) return accept();
  return accept(NodeRegistered({ ...input, features: [...new Set(input.features)].sort() }));
}

/**
 * Takes capacity, or says once and for all that there was none for this placement; a drained node has
 * none. Refused: NODE_UNKNOWN, ASK_EXPIRED, PLACEMENT_VOIDED (it was released before).
 */
export function takeCapacity(
  state: NodeState,
  input: {
    readonly nodeId: string;
    readonly placementId: string;
    readonly containerId: string;
    readonly vector: ResourceVector;
    readonly notAfter: string;
  },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { nodeId, placementId, notAfter } = input;
  if (!state.registered) return unknownNode(nodeId);
  if (state.placements.has(placementId)) return accept();
  const voided = state.voided.get(placementId);
  if (voided?.reason === 'no-room') return accept();
  if (voided !== undefined) return placementVoided(placementId);
  if (context.now > notAfter) return askExpired(notAfter);
  const room = fits(minus(state.total, state.used), amountsOf(input.vector));
  if (room && state.drained === undefined) return accept(NodeCapacityTaken(input));
  return accept(PlacementVoided({ nodeId, placementId, reason: 'no-room', notAfter }));
}

/**
 * Gives capacity back. With `notAfter` (until when a taking may be decided) a placement never taken
 * leaves a tombstone; refused PLACEMENT_NOT_HERE where it was declined, so that the next candidate is
 * to be told. Also after `notAfter`: a taking that was decided in time may be on its way to the store
 * still, and is refused there by whatever was appended since.
 */
export function releasePlacement(
  state: NodeState,
  input: {
    readonly nodeId: string;
    readonly placementId: string;
    readonly notAfter?: string | undefined;
  },
): Decision {
  const { nodeId, placementId, notAfter } = input;
  if (state.placements.has(placementId)) {
    return accept(NodeCapacityFreed({ nodeId, placementId }));
  }
  const voided = state.voided.get(placementId);
  if (voided?.reason === 'released' || notAfter === undefined) return accept();
  if (voided !== undefined) return placementNotHere(nodeId, placementId);
  return accept(PlacementVoided({ nodeId, placementId, reason: 'released', notAfter }));
}
