/**
 * Brokers of one cluster hear of a change one after the other: just after a topic was made, or a leader
 * has died, the same question is answered by some and refused by others. It is asked again.
 */
import type { Clock } from '../../runtime/clock.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { codeOf, isRejoining } from './client.ts';

/** Milliseconds between two questions. */
const PAUSE = 100;
/** Milliseconds from the first question to the last. */
const LIMIT = 10_000;
/**
 * Milliseconds where who leads, or who is of a group, is not agreed: brokers that were started again on a busy
 * machine need half a minute for it, and a process that gives up before has only to be started again.
 */
const AGREEING = 60_000;

const ELECTING = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
]);

/** What was answered shows that the cluster has not agreed who leads what. */
export class NotAgreedError extends RuntimeError {
  override readonly name = 'NotAgreedError';

  constructor(what: string) {
    super('unavailable', what);
  }
}

/** The cluster has not agreed who leads what. */
export function isElecting(error: unknown): boolean {
  return ELECTING.has(codeOf(error) ?? '');
}

/** That, or not every broker has heard of a topic that is there. */
export function isUnsettled(error: unknown): boolean {
  return isElecting(error) || codeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION';
}

/** That, or a group comes together: its members are asked to join once more, the one that asks among them. */
export function isGathering(error: unknown): boolean {
  return isElecting(error) || isRejoining(error);
}

/** Asks until it is answered, as long as the refusal is one that passes, and not for ever. */
export async function patiently<T>(
  network: Clock,
  ask: () => Promise<T>,
  passes: (error: unknown) => boolean = isUnsettled,
): Promise<T> {
  const began = network.now();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const limit = error instanceof NotAgreedError || isGathering(error) ? AGREEING : LIMIT;
      if (!passes(error) || network.now() - began >= limit) throw error;
      await network.sleep(PAUSE);
    }
  }
}
