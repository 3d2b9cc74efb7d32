/**
 * Brokers of one cluster hear of a change one after the other: just after a topic was made, or a leader
 * has died, the same question is answered by some and refused by others. It is asked again.
 */
import type { Clock } from '../../runtime/clock.ts';
import { codeOf } from './client.ts';

/** Times a question is asked, and milliseconds between two. */
const TIMES = 100;
const PAUSE = 100;

const ELECTING = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
]);

/** The cluster has not agreed who leads what. */
export function isElecting(error: unknown): boolean {
  return ELECTING.has(codeOf(error) ?? '');
}

/** That, or not every broker has heard of a topic that is there. */
export function isUnsettled(error: unknown): boolean {
  return isElecting(error) || codeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION';
}

/** Asks until it is answered, as long as the refusal is one that passes. */
export async function patiently<T>(
  network: Clock,
  ask: () => Promise<T>,
  passes: (error: unknown) => boolean = isUnsettled,
): Promise<T> {
  for (let times = 1; ; times++) {
    try {
      return await ask();
    } catch (error) {
      if (times === TIMES || !passes(error)) throw error;
      await network.sleep(PAUSE);
    }
  }
}
