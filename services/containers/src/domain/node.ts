/**
 * A node and the placements on it. Takes and gives back by placement id only; what it once said of a
 * placement (taken, no room, released) it says again for as long as a late repeat may come.
 */
import type { nodeEvents } from '@bivouac/events/containers';
import {
  NodeCapacityFreed,
  NodeCapacityTaken,
  type NodeCapacity,
  NodeRegistered,
  PlacementVoided,
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

import { type Amounts, amountsOf, fits, minus, noAmounts, plus, promisable } from './capacity.ts';
import { askExpired } from './expiry.ts';
import { forgetExpired, type Tombstones } from './tombstones.ts';

export interface NodeState {
  registered: boolean;
  total: Amounts;
  used: Amounts;
  readonly placements: Map<string, { readonly amounts: Amounts; readonly notAfter: string }>;
  readonly voided: Tombstones;
}

export function emptyNode(): NodeState {
  return {
    registered: false,
    total: { ...noAmounts },
    used: { ...noAmounts },
    placements: new Map(),
    voided: new Map(),
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
    state.placements.set(placementId, { amounts, notAfter });
    state.used = plus(state.used, amounts);
  } else if (is(event, NodeCapacityFreed)) {
    const { placementId } = event.data;
    const taken = state.placements.get(placementId);
    if (taken !== undefined) {
      state.placements.delete(placementId);
      state.used = minus(state.used, taken.amounts);
      state.voided.set(placementId, { reason: 'released', notAfter: taken.notAfter });
    }
  } else {
    const { placementId, reason, notAfter } = event.data;
    state.voided.set(placementId, { reason, notAfter });
  }
  forgetExpired(state.voided, event.time);
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
 * Takes capacity, or says once and for all that there was none for this placement. Refused:
 * NODE_UNKNOWN, ASK_EXPIRED, PLACEMENT_VOIDED (it was released before).
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
  if (!state.registered) {
    return refuse('NODE_UNKNOWN', `There is no node ${nodeId}; register it first.`);
  }
  if (state.placements.has(placementId)) return accept();
  const voided = state.voided.get(placementId);
  if (voided?.reason === 'no-room') return accept();
  if (voided !== undefined) return placementVoided(placementId);
  if (context.now > notAfter) return askExpired(notAfter);
  if (fits(minus(state.total, state.used), amountsOf(input.vector))) {
    return accept(NodeCapacityTaken(input));
  }
  return accept(PlacementVoided({ nodeId, placementId, reason: 'no-room', notAfter }));
}

/**
 * Gives capacity back. With `notAfter` (until when a late taking may come) a placement never taken
 * leaves a tombstone; refused PLACEMENT_NOT_HERE where it was declined or can no longer come, so
 * that the next candidate is to be told.
 */
export function releasePlacement(
  state: NodeState,
  input: {
    readonly nodeId: string;
    readonly placementId: string;
    readonly notAfter?: string | undefined;
  },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { nodeId, placementId, notAfter } = input;
  if (state.placements.has(placementId)) {
    return accept(NodeCapacityFreed({ nodeId, placementId }));
  }
  const voided = state.voided.get(placementId);
  if (voided?.reason === 'released' || notAfter === undefined) return accept();
  if (voided !== undefined || context.now > notAfter) {
    return refuse('PLACEMENT_NOT_HERE', `The placement ${placementId} is not on node ${nodeId}.`);
  }
  return accept(PlacementVoided({ nodeId, placementId, reason: 'released', notAfter }));
}

/** The refusal of a placement that was given back before it was made. */
export function placementVoided(placementId: string): ReturnType<typeof refuse> {
  return refuse(
    'PLACEMENT_VOIDED',
    `The placement ${placementId} was given back before it was made; ask for a new one.`,
  );
}
