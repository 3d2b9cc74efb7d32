/**
 * What a start does for homes that were parked: whatever failed may have been mended, or this release can
 * read it, so what waits there is handled again, in order. What fails again stays parked.
 */
import type { ReactionLogger, Reactions } from './reaction.ts';

/** Resolves when each home flows again or has been parked anew. Never rejects. */
export async function replayAfterStart(
  reactions: Reactions,
  logger: ReactionLogger,
): Promise<void> {
  await Promise.all(
    reactions.parked().map(async ({ homeId }) => {
      try {
        await reactions.replayParked(homeId);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        logger.error({ home: homeId, error: message }, 'a parked home could not be replayed');
      }
    }),
  );
}
