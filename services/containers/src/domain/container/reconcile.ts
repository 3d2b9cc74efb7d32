/** Acting on the difference between what is wanted of a container and what its node sees. */
import { ContainerLetGo, DifferenceFound } from '@bivouac/events/containers';
import {
  accept,
  type Decided,
  type Decision,
  type DecideContext,
  refuse,
} from '@bivouac/events/language';

import { type Asking, holderOf } from './asking.ts';
import { follow, settledFailed } from './follow.ts';
import { type ContainerState, wantedPower } from './state.ts';

type Context = Pick<DecideContext, 'now'>;

/**
 * Has the node do what is wanted: power by what it sees, then network and limits it may have missed.
 * Nothing while it is at work or an operation holds it, and nothing where the instance is missing or
 * in error: that is for staff.
 */
export function reconcileContainer(
  state: ContainerState,
  _input: { readonly containerId: string },
  context: Context,
): Decision {
  const { containerId, observed, instruction, waiting } = state;
  const wanted = wantedPower(state);
  if (wanted === undefined || instruction !== undefined || waiting !== undefined) return accept();
  if (observed?.generation !== state.generation) return accept();
  const { state: seen } = observed;
  if (seen === 'absent' || seen === 'error') return accept();
  const differs = seen !== wanted && seen !== state.power;
  const events = differs ? [DifferenceFound({ containerId, wanted, observed: seen })] : [];
  return accept(...follow(state, events, context));
}

/**
 * The operation that staff ended holds it no longer, and has no part in its deletion any more. Of one
 * it does not hold, nor had deleted: nothing. Refused: nothing.
 */
export function letGo(
  state: ContainerState,
  input: Pick<Asking, 'containerId'> & { readonly operationId: string },
  context: Context,
): Decision {
  const { containerId, operationId } = input;
  const deletes =
    state.deletedFor.includes(operationId) && !state.abandonedBy.includes(operationId);
  if (holderOf(state) !== operationId && !deletes) return accept();
  const { waiting } = state;
  const events: Decided[] = [];
  if (waiting?.ref.operationId === operationId) {
    const released = `Staff have released the operation ${operationId}; what it asked is not waited for.`;
    events.push(settledFailed(state, waiting, refuse('OPERATION_RELEASED', released).refusal));
  }
  events.push(ContainerLetGo({ containerId, operationId }));
  return accept(...follow(state, events, context));
}
