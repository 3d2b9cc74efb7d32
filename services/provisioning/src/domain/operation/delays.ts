/**
 * Waiting before a step is asked for again: where it was refused for something that passes by itself.
 * Bounded in number and time; after that the refusal counts.
 */
import type { Decided, DecideContext, Refusal } from '@bivouac/events/language';
import type { AskRef } from '@bivouac/events/operations';
import { StepDelayed } from '@bivouac/events/provisioning';
import { plusSeconds } from '@bivouac/events/values';

import { wireRefusal } from './refusals.ts';
import type { OperationState } from './state.ts';

/** In seconds, one after the other: a little more than two minutes in all. */
export const DELAYS = [5, 10, 20, 40, 60] as const;

/** What is scarce may stay so for days: that is said at once, and whoever ordered decides. */
const scarce: ReadonlySet<string> = new Set(['NO_NODE_WITH_ROOM', 'POOL_FULL']);

/** Puts a refused step off, where waiting helps and it was not put off too often. */
export function delayed(
  state: OperationState,
  ref: AskRef,
  refusal: Refusal | undefined,
  context: Pick<DecideContext, 'now'>,
): readonly Decided[] {
  if (refusal?.retryable !== true || scarce.has(refusal.code)) return [];
  const seconds = DELAYS[state.delays[ref.step]?.times ?? 0];
  if (seconds === undefined) return [];
  const { operationId } = state;
  const until = plusSeconds(context.now, seconds);
  return [StepDelayed({ operationId, ref, until, refusal: wireRefusal(refusal) })];
}
