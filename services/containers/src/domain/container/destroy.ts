/** Deleting a container: the generation rises, so that nothing older acts on the node any more. */
import {
  ContainerDeleted,
  ContainerDeleting,
  InstructionAnswered,
} from '@bivouac/events/containers';
import { accept, type Decided, type Decision, type DecideContext } from '@bivouac/events/language';

import { accepted, admit, type Asking } from './asking.ts';
import { follow } from './follow.ts';
import { type ContainerState, isGone, keyOf } from './state.ts';
import { allows } from './transitions.ts';

type Context = Pick<DecideContext, 'now'>;
type Input = Asking & { readonly reason: string };

/**
 * Destroys it on its node, or at once where it never had a place. The operation that has done so
 * before gets the same answer again; for others it is gone.
 */
export function destroyContainer(state: ContainerState, input: Input, context: Context): Decision {
  const { containerId, ref, notAfter } = input;
  if (isGone(state) && state.deletedFor.includes(ref.operationId)) {
    if (state.settled.includes(keyOf(ref))) return accept();
    const events = [accepted(input, 'containers.destroy')];
    return accept(...follow(state, events, context, { notAfter }));
  }
  if (!allows('vanishUnrun', state.lifecycle) || state.lifecycle === 'deleting') {
    return deleteOnNode(state, input, context);
  }
  const beginning = admit(state, input, 'vanishUnrun', context);
  if ('answer' in beginning) return beginning.answer;
  const events = [
    ...beginning.begin,
    accepted(input, 'containers.destroy'),
    deletedEvent(state, containerId, context.now),
  ];
  return accept(...follow(state, events, context, { notAfter }));
}

/** Has what is or may be on the node destroyed; joins a deletion that is under way. */
function deleteOnNode(state: ContainerState, input: Input, context: Context): Decision {
  const { containerId, ref, reason, notAfter } = input;
  const beginning = admit(state, input, 'delete', context);
  if ('answer' in beginning) return beginning.answer;
  const events: Decided[] = [...beginning.begin];
  if (state.lifecycle !== 'deleting') {
    if (state.instruction !== undefined) {
      // Whatever the node still makes of it, its answer belongs to an old generation.
      events.push(
        InstructionAnswered({
          containerId,
          instructionId: state.instruction.id,
          outcome: 'timed-out',
          message: 'superseded by the deletion',
        }),
      );
    }
    events.push(
      ContainerDeleting({ containerId, reason, generation: state.generation + 1, ask: ref }),
    );
  } else {
    events.push(accepted(input, 'containers.destroy'));
  }
  return accept(...follow(state, events, context, { notAfter }));
}

export function deletedEvent(state: ContainerState, containerId: string, now: string): Decided {
  // Only what was requested has a tenant, and only that is deleted.
  if (state.tenantId === undefined) throw new RangeError(`${containerId} was never requested`);
  return ContainerDeleted({
    containerId,
    tenantId: state.tenantId,
    endedAt: now,
    ran: state.runningAt !== undefined,
  });
}
