/**
 * What is done for parked homes whenever their partition comes to an instance, at its start or from
 * another: whatever failed may have been mended, or this release can read it, so what waits there is
 * handled again, in order. What fails again stays parked.
 */
import { partitionOf } from '../../bus/partition.ts';
import type { ReactionLogger, Reactions } from './reaction.ts';

/** Begins with those that are here already; answers how to end it. */
export function replayWhenAssigned(reactions: Reactions, logger: ReactionLogger): () => void {
  const replay = async (homeId: string): Promise<void> => {
    try {
      await reactions.replayParked(homeId);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      logger.error({ home: homeId, error: message }, 'a parked home could not be replayed');
    }
  };
  for (const { homeId } of reactions.parked()) void replay(homeId);
  return reactions.onAssigned((partition) => {
    for (const { homeId } of reactions.parked()) {
      if (partitionOf(homeId) === partition) void replay(homeId);
    }
  });
}
