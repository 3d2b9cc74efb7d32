/** What differs from what is wanted, and what a node has to do and should have. */
import { queryHandler } from '@bivouac/infra/runtime';
import { pageOf, type View } from '@bivouac/infra/views';

import {
  Differences,
  type DifferenceView,
  IdentityOfNode,
  InstancesOfNode,
  InstructionsForNode,
  StrayInstances,
} from '../api/index.ts';
import { type ContainerRow, containers } from '../projections/container-rows.ts';
import { instructions } from '../projections/instructions.ts';
import { nodes, strays } from '../projections/nodes.ts';

const everything = (): boolean => true;

export const identityOfNode = queryHandler(IdentityOfNode, (view, { nodeId }) => {
  const row = view.get(nodes, nodeId);
  if (row === undefined) return null;
  return {
    publicKey: row.identity?.publicKey ?? null,
    revokedKeys: row.revokedKeys.map(({ publicKey }) => publicKey),
  };
});

export const instructionsForNode = queryHandler(
  InstructionsForNode,
  (view, { nodeId, after, limit }) => {
    const rows = view.range(instructions, 'byNode', [nodeId], { after, limit: limit + 1 });
    return {
      known: view.get(nodes, nodeId) !== undefined,
      items: rows.slice(0, limit).map(({ cursor, row }) => ({
        ...{ cursor, instruction: row.instruction, stray: row.stray === true, cause: row.cause },
      })),
      end: rows.length <= limit,
    };
  },
);

/** First containers, then strays: the cursor says which, and where. */
export const instancesOfNode = queryHandler(
  InstancesOfNode,
  (view, { nodeId, ranBefore, after, limit }) => {
    const inStrays = after?.startsWith('s') === true;
    const behind = after?.slice(1);
    const kept = inStrays ? [] : expected(view, nodeId, behind, limit + 1);
    const items = kept.slice(0, limit).map(({ cursor, row }) => ({
      ...{ cursor: `c${cursor}`, containerId: row.id, generation: row.generation },
      what: isThere(row, ranBefore) ? ('expected' as const) : ('other' as const),
    }));
    if (kept.length > limit) return { items, end: false };
    const left = limit - items.length;
    const behindStray = inStrays ? behind : undefined;
    const found = view.range(strays, 'byNode', [nodeId], { after: behindStray, limit: left + 1 });
    const stray = found.slice(0, left).map(({ cursor, row }) => ({
      ...{ cursor: `s${cursor}`, containerId: row.containerId, generation: row.generation },
      what: 'stray' as const,
    }));
    return { items: [...items, ...stray], end: found.length <= left };
  },
);

export const differences = queryHandler(Differences, (view, { page, nodeId }) => {
  const rows =
    nodeId === undefined
      ? pageOf(view, containers, 'byDifference', [], page, everything)
      : pageOf(view, containers, 'byNodeDifference', [nodeId], page, everything);
  return {
    ...rows,
    items: rows.items.map(({ cursor, node }) => ({ cursor, node: shown(node) })),
  };
});

export const strayInstances = queryHandler(StrayInstances, (view, { page, nodeId }) =>
  nodeId === undefined
    ? pageOf(view, strays, 'byNode', [], page, everything)
    : pageOf(view, strays, 'byNode', [nodeId], page, everything),
);

function expected(view: View, nodeId: string, after: string | undefined, limit: number) {
  return view.range(containers, 'byNode', [nodeId], { after, limit });
}

/** Made before, and not to go: a whole list of its node must have it. */
function isThere({ lifecycle, runningSince }: ContainerRow, ranBefore: string): boolean {
  const kept = ['stopped', 'running', 'frozen', 'soft-deleted'].includes(lifecycle);
  return kept && runningSince !== null && runningSince < ranBefore;
}

function shown({ id, tenantId, nodeId, difference, observed }: ContainerRow): DifferenceView {
  // The index has rows with both.
  if (difference === null || observed === null) throw new RangeError(`${id} does not differ`);
  const { wanted, since } = difference;
  const { state } = observed;
  const facts = { containerId: id, tenantId, nodeId, wanted, since };
  return { ...facts, observed: state, action: actionFor(wanted, state) };
}

function actionFor(
  wanted: DifferenceView['wanted'],
  state: DifferenceView['observed'],
): DifferenceView['action'] {
  if (state === 'absent' || state === 'error') return 'none';
  if (wanted === 'stopped') return 'stop';
  if (state === 'stopped') return 'start';
  return wanted === 'running' ? 'thaw' : 'freeze';
}
