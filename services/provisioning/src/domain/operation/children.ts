/** What a parent records of its children. */
import { accept, type DecideContext, type Decision, type Refusal } from '@bivouac/events/language';
import { ChildEnded, type ChildOutcome, ChildWaiting } from '@bivouac/events/provisioning';

import { carryOn } from './answers.ts';
import { wireRefusal } from './refusals.ts';
import { isEnded, type OperationState } from './state.ts';

/** That a child waits for staff, or how it ended. */
export type ChildNews =
  | { readonly childId: string; readonly outcome: 'waiting'; readonly refusal: Refusal }
  | {
      readonly childId: string;
      readonly outcome: ChildOutcome;
      readonly refusal?: Refusal | undefined;
    };

/** Records that a child has ended, or waits for staff, and starts further ones. Idempotent. */
export function recordChild(
  state: OperationState,
  input: ChildNews,
  context: DecideContext,
): Decision {
  const { operationId, children } = state;
  const { childId } = input;
  const waits = children.waiting.get(childId);
  const subject = children.open.get(childId) ?? waits;
  if (subject === undefined || isEnded(state.phase)) return accept();
  const child = { operationId, childId, subject };
  if (input.outcome === 'waiting') {
    if (waits !== undefined) return accept();
    const refusal = wireRefusal(input.refusal);
    return carryOn(state, [ChildWaiting({ ...child, refusal })], context);
  }
  const { outcome, refusal } = input;
  const waited = waits !== undefined;
  const why = refusal === undefined ? {} : { refusal: wireRefusal(refusal) };
  return carryOn(state, [ChildEnded({ ...child, outcome, waited, ...why })], context);
}
