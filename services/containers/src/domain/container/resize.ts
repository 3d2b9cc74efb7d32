/** Another plan for a container: its node gets the limits first, then it has the plan. */
import { ContainerResizing } from '@bivouac/events/containers';
import { accept, type Decided, type Decision, type DecideContext } from '@bivouac/events/language';
import type { PlanTerms } from '@bivouac/events/operations';

import { accepted, admit, type Asking } from './asking.ts';
import { follow } from './follow.ts';
import { held } from './held.ts';
import { type ContainerState, keyOf } from './state.ts';

/**
 * The capacity on its node has been taken. Done at once where it has this reservation already.
 * Refused besides {@link admit}: CONTAINER_HELD.
 */
export function resizeContainer(
  state: ContainerState,
  input: Asking & { readonly plan: PlanTerms; readonly reservationId: string },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { containerId, plan, reservationId, ref, notAfter } = input;
  const beginning = admit(state, input, 'resize', context);
  if ('answer' in beginning) return beginning.answer;
  if (state.holds.size > 0) return held(state, containerId);
  const events: Decided[] = [...beginning.begin];
  const done = state.reservationId === reservationId;
  if (!done) events.push(ContainerResizing({ containerId, plan, reservationId, ask: ref }));
  if (done || state.instruction !== undefined) events.push(accepted(input, 'containers.resize'));
  return accept(...follow(state, events, context, { notAfter }));
}

/** What the node's stream needs to know of a claim on a resize. */
export function claimOutcome(
  state: ContainerState,
  { resizeId, claim }: { readonly resizeId: string; readonly claim: string },
): 'done' | 'under-way' | 'void' {
  if (state.reservationId === resizeId) return 'done';
  return state.waiting !== undefined && keyOf(state.waiting.ref) === claim ? 'under-way' : 'void';
}
