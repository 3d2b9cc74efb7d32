/** What staff and its agent say of a node: labels, drained or not, its inventory, stray instances. */
import {
  NodeDrained,
  type nodeEvents,
  NodeInventoryChanged,
  NodeLabelled,
  NodeUndrained,
  StrayDestructionEnded,
  StrayDestructionOrdered,
  StrayInstanceGone,
  StrayInstanceSeen,
} from '@bivouac/events/containers';
import { accept, canonicalText, type Decision, type EventOf, is } from '@bivouac/events/language';
import type { NodeInventory } from '@bivouac/events/node';

import { unknownNode } from './node-refusals.ts';
import type { NodeKeeping, NodeState } from './node-state.ts';

export function noKeeping(): NodeKeeping {
  return {
    drained: undefined,
    labels: [],
    inventory: undefined,
    strays: new Map(),
    destructions: new Map(),
  };
}

export function evolveKeeping(
  state: NodeKeeping,
  event: EventOf<(typeof nodeEvents)[number]>,
): void {
  if (is(event, NodeDrained)) state.drained = event.data.reason;
  else if (is(event, NodeUndrained)) state.drained = undefined;
  else if (is(event, NodeLabelled)) state.labels = event.data.labels;
  else if (is(event, NodeInventoryChanged)) {
    state.inventory = canonicalText(event.data.inventory);
  } else if (is(event, StrayInstanceSeen)) {
    const { containerId, generation, state: seen, why } = event.data;
    const said = canonicalText({ generation, seen, why });
    state.strays.set(containerId, { said, generation });
  } else if (is(event, StrayInstanceGone)) state.strays.delete(event.data.containerId);
  else if (is(event, StrayDestructionOrdered)) {
    state.destructions.set(event.data.containerId, event.data.instructionId);
  } else if (is(event, StrayDestructionEnded)) {
    state.destructions.delete(event.data.containerId);
  }
}

/** Recorded where it differs from what was said before. Refused: NODE_UNKNOWN. */
export function reportInventory(
  state: NodeState,
  input: { readonly nodeId: string; readonly inventory: NodeInventory },
): Decision {
  if (!state.registered) return unknownNode(input.nodeId);
  const features = [...new Set(input.inventory.features)].sort();
  const inventory = { ...input.inventory, features };
  if (state.inventory === canonicalText(inventory)) return accept();
  return accept(NodeInventoryChanged({ nodeId: input.nodeId, inventory }));
}

/** Refused: NODE_UNKNOWN. */
export function labelNode(
  state: NodeState,
  input: { readonly nodeId: string; readonly labels: readonly string[] },
): Decision {
  if (!state.registered) return unknownNode(input.nodeId);
  const labels = [...new Set(input.labels)].sort();
  if (canonicalText(labels) === canonicalText(state.labels)) return accept();
  return accept(NodeLabelled({ nodeId: input.nodeId, labels }));
}

/** Refused: NODE_UNKNOWN. */
export function drainNode(
  state: NodeState,
  input: { readonly nodeId: string; readonly reason: string },
): Decision {
  if (!state.registered) return unknownNode(input.nodeId);
  return state.drained === undefined ? accept(NodeDrained(input)) : accept();
}

/** Refused: NODE_UNKNOWN. */
export function undrainNode(state: NodeState, input: { readonly nodeId: string }): Decision {
  if (!state.registered) return unknownNode(input.nodeId);
  return state.drained === undefined ? accept() : accept(NodeUndrained(input));
}
