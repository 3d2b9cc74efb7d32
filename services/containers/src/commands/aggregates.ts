/** The kinds of streams this context owns, and their names. */
import {
  containerEvents,
  imageEvents,
  laterLifeEvents,
  leaseEvents,
  nodeEvents,
  placementEvents,
  poolEvents,
  rangeEvents,
  reconcilerEvents,
  rosterEvents,
} from '@bivouac/events/containers';
import type { Family } from '@bivouac/events/values';
import { aggregate } from '@bivouac/infra/runtime';

import { evolveContainer, noContainer } from '../domain/container/index.ts';
import { evolveImage, noImage } from '../domain/image.ts';
import { emptyNode, evolveNode } from '../domain/node.ts';
import { emptyPool, evolvePool } from '../domain/pool.ts';
import { emptyRange, evolveRange } from '../domain/range.ts';
import { evolveReconciler, noReconciliation } from '../domain/reconciler.ts';
import { emptyRoster, evolveRoster } from '../domain/roster.ts';
import { evolveLease, evolvePlacement, type SeekingState } from '../domain/seeking.ts';
import type { PlacementCandidate } from '@bivouac/events/containers';

export const container = aggregate({
  category: 'container',
  version: 3,
  events: [...containerEvents, ...laterLifeEvents],
  initial: () => noContainer,
  evolve: evolveContainer,
});
export const image = aggregate({
  category: 'image',
  events: imageEvents,
  initial: () => noImage,
  evolve: evolveImage,
});
export const node = aggregate({
  category: 'node',
  version: 2,
  events: nodeEvents,
  initial: emptyNode,
  evolve: evolveNode,
});
export const pool = aggregate({
  category: 'pool',
  events: poolEvents,
  initial: emptyPool,
  evolve: evolvePool,
});
export const range = aggregate({
  category: 'range',
  events: rangeEvents,
  initial: emptyRange,
  evolve: evolveRange,
});
export const roster = aggregate({
  category: 'roster',
  events: rosterEvents,
  initial: emptyRoster,
  evolve: evolveRoster,
});
export const placement = aggregate({
  category: 'placement',
  events: placementEvents,
  initial: (): SeekingState<PlacementCandidate> => ({ kind: 'none' }),
  evolve: evolvePlacement,
});
export const lease = aggregate({
  category: 'lease',
  events: leaseEvents,
  initial: (): SeekingState<string> => ({ kind: 'none' }),
  evolve: evolveLease,
});

export const reconciler = aggregate({
  category: 'reconciler',
  events: reconcilerEvents,
  initial: () => noReconciliation,
  evolve: evolveReconciler,
});
/** There is one. */
export const RECONCILER = 'reconciler-platform';

export const streamOf = {
  container: (containerId: string) => `container-${containerId}`,
  image: (imageId: string) => `image-${imageId}`,
  node: (nodeId: string) => `node-${nodeId}`,
  pool: (family: Family) => `pool-${family}`,
  range: (rangeId: string) => `range-${rangeId}`,
  roster: (homeId: string) => `roster-${homeId}`,
  placement: (placementId: string) => `placement-${placementId}`,
  lease: (leaseId: string) => `lease-${leaseId}`,
} as const;
