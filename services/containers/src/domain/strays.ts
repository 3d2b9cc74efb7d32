/** Instances on a node that are nobody's there: seen, gone, and destroyed where staff want that. */
import {
  StrayDestructionEnded,
  StrayDestructionOrdered,
  StrayInstanceGone,
  StrayInstanceSeen,
  type StrayReason,
} from '@bivouac/events/containers';
import {
  accept,
  canonicalText,
  type Decided,
  type DecideContext,
  type Decision,
  refuse,
} from '@bivouac/events/language';
import type { ObservedState } from '@bivouac/events/node';
import { deriveId, plusSeconds } from '@bivouac/events/values';

import { unknownNode } from './node-refusals.ts';
import type { NodeState } from './node-state.ts';

/** How long the node has, in seconds. */
const DESTRUCTION_SECONDS = 120;

/** What the container's own stream says of it; copied, so that it is decided here. */
export interface Wanted {
  /** It is to be on this node, in whatever generation. */
  readonly here: boolean;
  readonly generation: number;
}

/** An instance that should not be there, or (`absent`) is there no more. Refused: NODE_UNKNOWN. */
export function reportStray(
  state: NodeState,
  input: {
    readonly nodeId: string;
    readonly containerId: string;
    readonly generation: number;
    readonly state: ObservedState;
    readonly why: StrayReason;
  },
): Decision {
  const { nodeId, containerId, generation, state: seen, why } = input;
  if (!state.registered) return unknownNode(nodeId);
  const known = state.strays.get(containerId);
  if (seen === 'absent') {
    return known === undefined ? accept() : accept(StrayInstanceGone({ nodeId, containerId }));
  }
  if (known?.said === canonicalText({ generation, seen, why })) return accept();
  return accept(StrayInstanceSeen({ ...input }));
}

/**
 * Has the node destroy it. One that is being destroyed: nothing happens. Refused: NODE_UNKNOWN,
 * STRAY_UNKNOWN, STRAY_WANTED (what is destroyed would be a customer's).
 */
export function destroyStray(
  state: NodeState,
  input: {
    readonly nodeId: string;
    readonly containerId: string;
    readonly reason: string;
    readonly wanted: Wanted;
  },
  context: Pick<DecideContext, 'now' | 'commandKey'>,
): Decision {
  const { nodeId, containerId, reason, wanted } = input;
  if (!state.registered) return unknownNode(nodeId);
  const stray = state.strays.get(containerId);
  const path = { path: ['input', 'containerId'] };
  if (stray === undefined) {
    return refuse(
      'STRAY_UNKNOWN',
      `No stray instance ${containerId} is known on node ${nodeId}; read its stray instances.`,
      path,
    );
  }
  if (wanted.here) {
    return refuse(
      'STRAY_WANTED',
      `The container ${containerId} has its place on this node; purge the container, or have it reconciled.`,
      path,
    );
  }
  if (state.destructions.has(containerId)) return accept();
  return accept(
    StrayDestructionOrdered({
      nodeId,
      containerId,
      instructionId: deriveId('instruction', context.commandKey),
      // The node's fence knows the highest it was ever told, and refuses what is below.
      generation: Math.max(stray.generation, wanted.generation),
      reason,
      notAfter: plusSeconds(context.now, DESTRUCTION_SECONDS),
    }),
  );
}

/** The node's answer, or its silence beyond the deadline. Of another instruction: nothing. */
export function endDestruction(
  state: NodeState,
  input: {
    readonly nodeId: string;
    readonly containerId: string;
    readonly instructionId: string;
    readonly outcome: 'done' | 'refused' | 'failed' | 'timed-out';
    readonly message?: string | undefined;
  },
): Decision {
  const { nodeId, containerId, instructionId, outcome, message } = input;
  if (state.destructions.get(containerId) !== instructionId) return accept();
  const ended = StrayDestructionEnded({
    ...{ nodeId, containerId, instructionId, outcome },
    ...(message === undefined ? {} : { message }),
  });
  return accept<Decided>(
    ended,
    ...(outcome === 'done' && state.strays.has(containerId)
      ? [StrayInstanceGone({ nodeId, containerId })]
      : []),
  );
}
