/** What staff can do with an operation that needs attention: have it retried, end it, give it up. */
import { type Decision, type DecideContext, refuse } from '@bivouac/events/language';
import { StepAsked } from '@bivouac/events/operations';
import { OperationRetried, ReleaseOrdered, ResolutionStated } from '@bivouac/events/provisioning';

import { carryOn } from './answers.ts';
import { giveBackMore, leftoversOf } from './leftovers.ts';
import { ended, unknown } from './refusals.ts';
import { countedAnew, isEnded, type OperationState } from './state.ts';

interface Act {
  readonly reason: string;
}

/**
 * Goes on at the step that needs attention, with as many attempts as at first. One that was released has
 * ended, and stays so: of what it left, what only has to be given back is asked for again.
 */
export function retry(state: OperationState, { reason }: Act, context: DecideContext): Decision {
  const { operationId, attention } = state;
  if (state.phase === 'released') return giveBack(state, reason, context);
  if (attention === undefined || state.phase !== 'needs-attention') return refused(state, 'retry');
  return carryOn(state, [OperationRetried({ operationId, ref: attention.ref, reason })], context);
}

/** Staff have made the world as the operation should have: it ends, and what it does not know of stays. */
export function resolve(state: OperationState, { reason }: Act, context: DecideContext): Decision {
  if (state.phase !== 'needs-attention') return refused(state, 'resolve');
  const { operationId } = state;
  return carryOn(state, [ResolutionStated({ operationId, reason })], context);
}

/** Staff give it up: it ends, and what it leaves is listed. */
export function release(state: OperationState, { reason }: Act, context: DecideContext): Decision {
  if (state.phase !== 'needs-attention') return refused(state, 'release');
  const leftovers = leftoversOf(state);
  const { operationId } = state;
  return carryOn(state, [ReleaseOrdered({ operationId, reason, leftovers })], context);
}

function giveBack(state: OperationState, reason: string, context: DecideContext): Decision {
  const { operationId } = state;
  if (leftoversOf(state).length === 0) return ended(state, 'retry');
  if (state.askings.some(({ status }) => status === 'asked')) return working(state);
  const first = giveBackMore(countedAnew(state), context)[0];
  if (first === undefined) return notGivenBack(state);
  const { ref } = StepAsked.schema.parse(first.data);
  return carryOn(state, [OperationRetried({ operationId, ref, reason })], context, (now) =>
    giveBackMore(now, context),
  );
}

function refused(state: OperationState, wish: 'retry' | 'resolve' | 'release') {
  if (state.phase === 'new') return unknown();
  if (isEnded(state.phase)) return ended(state, wish);
  return working(state);
}

function working({ operationId, phase }: OperationState) {
  return refuse(
    'OPERATION_NEEDS_NO_ATTENTION',
    `The operation is under way by itself (${phase}); wait until it ends or needs attention.`,
    { path: ['operationId'], details: { operationId, status: phase } },
  );
}

function notGivenBack({ operationId, phase }: OperationState) {
  return refuse(
    'OPERATION_ENDED',
    'The operation has ended (released), and a node may still have what it left: order what its leftovers need, e.g. the termination of its container.',
    { path: ['operationId'], details: { operationId, status: phase } },
  );
}
