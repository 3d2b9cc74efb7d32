/** What staff can do with an operation that needs attention: have it retried, end it, give it up. */
import { type Decision, type DecideContext, refuse } from '@bivouac/events/language';
import {
  type Leftover,
  OperationRetried,
  ReleaseOrdered,
  ResolutionStated,
} from '@bivouac/events/provisioning';

import { plan, undoing } from './advance.ts';
import { carryOn } from './answers.ts';
import { ended, unknown } from './refusals.ts';
import { isEnded, lastAsking, type OperationState } from './state.ts';

interface Act {
  readonly reason: string;
}

/** Goes on at the step that needs attention, with as many attempts as at first. */
export function retry(state: OperationState, { reason }: Act, context: DecideContext): Decision {
  const { operationId, attention } = state;
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

/** What was begun and is neither done nor undone: the asks that would see to it. */
export function leftoversOf(state: OperationState): Leftover[] {
  const { steps } = plan(state);
  const byName = new Map(steps.map((step) => [step.name, step]));
  const notUndone = [...state.askings].reverse().flatMap(({ step: name, attempt }): Leftover[] => {
    const step = byName.get(name);
    const left = step === undefined ? [] : undoing(state, step, attempt);
    return left.map(({ ask, input }) => ({ step: name, ask, input }));
  });
  if (state.refusal !== undefined || state.cancelled) return notUndone;
  const notDone = steps.flatMap((step): Leftover[] => {
    const ready = step.after.every((name) => state.results[name] !== undefined);
    if (state.results[step.name] !== undefined || !ready) return [];
    const attempt = lastAsking(state, step.name)?.attempt ?? 1;
    return [{ step: step.name, ask: step.ask, input: step.input(attempt) }];
  });
  return [...notDone, ...notUndone];
}

function refused(state: OperationState, wish: 'retry' | 'resolve' | 'release') {
  if (state.phase === 'new') return unknown();
  if (isEnded(state.phase)) return ended(state, wish);
  return refuse(
    'OPERATION_NEEDS_NO_ATTENTION',
    `The operation is under way by itself (${state.phase}); wait until it ends or needs attention.`,
    { path: ['operationId'], details: { operationId: state.operationId, status: state.phase } },
  );
}
