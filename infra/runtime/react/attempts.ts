/**
 * Running one reaction on one event until it is done: what may succeed later is tried again for
 * ever, with pauses; anything else three times.
 */
import type { Recorded } from '@bivouac/events/language';

import type { Clock } from '../clock.ts';
import { isTransient } from '../errors.ts';
import type { PolicyMeasures } from './measures.ts';
import type { Reaction, ReactionLogger } from './reaction.ts';
import type { Slots } from './slots.ts';

/** Failures of one event, other than transient ones, that park its home. */
const ATTEMPTS = 3;
/** Milliseconds before the first repetition; doubled each time up to the longest. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 5000;

export type Outcome =
  | { readonly kind: 'done' }
  /** The service stops, or the home was parked meanwhile: it comes again. */
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface AttemptsContext {
  readonly clock: Clock;
  readonly slots: Slots;
  readonly random: () => number;
  readonly logger: ReactionLogger;
  readonly stopping: AbortSignal;
  readonly counters: { failures: number; transientFailures: number };
  readonly measures: (reaction: Reaction) => PolicyMeasures;
}

const DONE: Outcome = { kind: 'done' };
const ABANDONED: Outcome = { kind: 'abandoned' };

/**
 * Runs a reaction; the caller holds a slot, which is free for others during pauses.
 *
 * @param wanted asked after each failure: whether it is still to be done.
 */
export async function attempt(
  context: AttemptsContext,
  reaction: Reaction,
  event: Recorded,
  wanted: () => boolean,
): Promise<Outcome> {
  const { clock, slots, stopping, counters } = context;
  const measures = context.measures(reaction);
  let failures = 0;
  let pauses = 0;
  for (;;) {
    if (stopping.aborted) return ABANDONED;
    try {
      await reaction.react(event);
      measures.done.add();
      return DONE;
    } catch (error) {
      // A service that goes down fails in many ways, none of which is the event's fault.
      if (stopping.aborted) return ABANDONED;
      if (isTransient(error)) {
        counters.transientFailures++;
        measures.again.add();
        report(context, reaction, event, error, pauses);
        slots.give();
        await clock.sleep(pause(pauses++, context.random), stopping);
        await slots.take();
      } else if (++failures < ATTEMPTS) {
        counters.failures++;
        measures.again.add();
      } else {
        counters.failures++;
        measures.parked.add();
        return { kind: 'failed', error };
      }
    }
    if (!wanted()) return ABANDONED;
  }
}

/** Milliseconds before a repetition, spread over the upper half. */
export function pause(repetition: number, random: () => number): number {
  const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(repetition, 16));
  return Math.ceil(longest * (0.5 + random() / 2));
}

/** Says so the 1st, 2nd, 4th, 8th… time: a store away for an hour must not fill the disk with words. */
function report(
  { logger }: AttemptsContext,
  reaction: Reaction,
  event: Recorded,
  error: unknown,
  pauses: number,
): void {
  const times = pauses + 1;
  if ((times & (times - 1)) !== 0) return;
  logger.warn(
    { err: error, reaction: reaction.name, eventId: event.id, home: event.homeid, times },
    'a reaction failed for now and is tried again',
  );
}
