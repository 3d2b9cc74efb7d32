/** The end of a wait: what was put off is asked for again. */
import { accept, type DecideContext, type Decision } from '@bivouac/events/language';
import { StepResumed } from '@bivouac/events/provisioning';

import { carryOn } from './answers.ts';
import type { OperationState } from './state.ts';

/** By timer. Where the operation has ended, or goes back, meanwhile, the wait is over all the same. */
export function resumeStep(
  state: OperationState,
  { step, until }: { readonly step: string; readonly until: string },
  context: DecideContext,
): Decision {
  if (state.delays[step]?.until !== until) return accept();
  const { operationId } = state;
  return carryOn(state, [StepResumed({ operationId, step })], context);
}
