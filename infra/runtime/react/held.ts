/** What is done for a home by the instance that has its partition, and by no other. */
import type { Reactions } from './reaction.ts';

/**
 * Does something for a home while its partition is here; the signal says that it was taken away.
 * Answers whether it was here from the beginning to the end.
 */
export async function whileHeld(
  reactions: Pick<Reactions, 'holds' | 'onAssigned'>,
  homeId: string,
  work: (lost: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const lost = new AbortController();
  const look = (): void => {
    if (!reactions.holds(homeId)) lost.abort();
  };
  const end = reactions.onAssigned(look);
  look();
  try {
    if (!lost.signal.aborted) await work(lost.signal);
    return !lost.signal.aborted;
  } finally {
    end();
  }
}
