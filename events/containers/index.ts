import { containerEvents } from './container.ts';
import { imageEvents } from './image.ts';
import { laterLifeEvents } from './later-life.ts';
import { nodeEvents, reconcilerEvents } from './node.ts';
import { leaseEvents, placementEvents } from './placement.ts';
import { poolEvents, rangeEvents } from './range.ts';
import { rosterEvents } from './roster.ts';

export * from './container.ts';
export * from './image.ts';
export * from './instruction.ts';
export * from './later-life.ts';
export * from './node.ts';
export * from './placement.ts';
export * from './range.ts';
export * from './roster.ts';

/** Every event of this context. */
export const containersEvents = [
  ...containerEvents,
  ...laterLifeEvents,
  ...imageEvents,
  ...nodeEvents,
  ...reconcilerEvents,
  ...placementEvents,
  ...leaseEvents,
  ...poolEvents,
  ...rangeEvents,
  ...rosterEvents,
] as const;
