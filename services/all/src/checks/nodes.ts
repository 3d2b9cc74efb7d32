/**
 * No node ever holds more than it has, at no moment of the log; a placement takes on one node, once,
 * and never after it was given back. Of one that is resized the larger of both sizes counts.
 */
import {
  NodeCapacityFreed,
  NodeCapacityResized,
  NodeCapacityResizeVoided,
  NodeCapacityResizing,
  NodeCapacityTaken,
  NodeRegistered,
  PlacementAbandoned,
  PlacementVoided,
} from '@bivouac/events/containers';
import { is } from '@bivouac/events/language';
import { amountOf, type ResourceVector } from '@bivouac/events/values';

import type { History } from './history.ts';

/** What a node has of each; CPU times what it may be promised. */
const scarce = ['containers', 'cpuMillis', 'memoryBytes', 'diskBytes'] as const;
type Scarce = (typeof scarce)[number];

interface Node {
  readonly has: Readonly<Record<Scarce, bigint>>;
  readonly placements: Map<string, ResourceVector>;
  /** Sizes that placements are to have, with the claims on each. */
  readonly resizing: Map<string, { readonly vector: ResourceVector; readonly claims: Set<string> }>;
}

export function nodeViolations(history: History): string[] {
  const violations: string[] = [];
  const nodes = new Map<string, Node>();
  /** By placement: the node it is on, then why it never is on one again. */
  const placements = new Map<string, string>();
  for (const event of history) {
    const wrong = (what: string): void => {
      violations.push(`${what} (${event.type} at ${event.position})`);
    };
    if (is(event, NodeRegistered)) {
      const { nodeId, capacity, cpuOvercommitPercent } = event.data;
      const has = {
        containers: BigInt(capacity.containers),
        cpuMillis: (BigInt(capacity.cpuMillis) * BigInt(cpuOvercommitPercent)) / 100n,
        memoryBytes: BigInt(capacity.memoryBytes),
        diskBytes: BigInt(capacity.diskBytes),
      };
      nodes.set(nodeId, { has, placements: new Map(), resizing: new Map() });
    } else if (is(event, NodeCapacityTaken)) {
      const { nodeId, placementId, vector } = event.data;
      const before = placements.get(placementId);
      if (before !== undefined) wrong(`${placementId} takes room on ${nodeId} and was ${before}`);
      placements.set(placementId, `on ${nodeId}`);
      const node = nodes.get(nodeId);
      if (node === undefined) wrong(`${placementId} is on ${nodeId}, which nobody registered`);
      else {
        node.placements.set(placementId, vector);
        for (const what of beyond(node)) wrong(`${nodeId} holds ${what}`);
      }
    } else if (is(event, NodeCapacityResizing)) {
      const { nodeId, placementId, vector, claim } = event.data;
      const node = nodes.get(nodeId);
      if (node?.placements.has(placementId) !== true) {
        wrong(`${placementId} is resized on ${nodeId}, where it is not`);
      } else {
        const claims = node.resizing.get(placementId)?.claims ?? new Set();
        node.resizing.set(placementId, { vector, claims: claims.add(claim) });
        for (const what of beyond(node)) wrong(`${nodeId} holds ${what}`);
      }
    } else if (is(event, NodeCapacityResized)) {
      const { nodeId, placementId } = event.data;
      const node = nodes.get(nodeId);
      const resizing = node?.resizing.get(placementId);
      if (node === undefined || resizing === undefined) {
        wrong(`${placementId} was resized on ${nodeId} and nobody had asked for it`);
      } else {
        node.placements.set(placementId, resizing.vector);
        node.resizing.delete(placementId);
      }
    } else if (is(event, NodeCapacityResizeVoided)) {
      const { nodeId, placementId, claim } = event.data;
      const node = nodes.get(nodeId);
      const resizing = node?.resizing.get(placementId);
      resizing?.claims.delete(claim);
      if (resizing?.claims.size === 0) node?.resizing.delete(placementId);
    } else if (is(event, NodeCapacityFreed)) {
      const { nodeId, placementId } = event.data;
      if (nodes.get(nodeId)?.placements.delete(placementId) !== true) {
        wrong(`${placementId} is freed on ${nodeId}, where it is not`);
      }
      nodes.get(nodeId)?.resizing.delete(placementId);
      placements.set(placementId, 'given back');
    } else if (is(event, PlacementVoided) && event.data.reason === 'released') {
      const { nodeId, placementId } = event.data;
      const stands = placements.get(placementId);
      if (stands === `on ${nodeId}`) wrong(`${placementId} is voided and takes room`);
      // Whoever gives back late tells every node that might have it: one has, the others never will.
      if (stands?.startsWith('on ') !== true) placements.set(placementId, 'given back');
    } else if (is(event, PlacementAbandoned)) {
      placements.set(event.data.placementId, 'abandoned');
    }
  }
  for (const [nodeId, { resizing }] of nodes) {
    for (const placementId of resizing.keys()) {
      violations.push(`the other size of ${placementId} on ${nodeId} was never settled`);
    }
  }
  return violations;
}

function* beyond(node: Node): Generator<string> {
  for (const axis of scarce) {
    const used = usedOf(node, axis);
    if (used > node.has[axis]) yield `${used} ${axis} of ${node.has[axis]}`;
  }
}

function usedOf({ placements, resizing }: Node, axis: Scarce): bigint {
  let used = 0n;
  for (const [placementId, vector] of placements) {
    const now = amountOf(vector, axis);
    const next = amountOf(resizing.get(placementId)?.vector ?? vector, axis);
    used += now > next ? now : next;
  }
  return used;
}
