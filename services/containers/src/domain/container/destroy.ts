/**
 * Deleting a container: the generation rises, so that nothing older acts on the node any more. The
 * operation that made it deletes it only where it undoes its order.
 */
import {
  ContainerDeleted,
  ContainerDeleting,
  InstructionAnswered,
  OrderUndone,
} from '@bivouac/events/containers';
import { accept, type Decided, type Decision, type DecideContext } from '@bivouac/events/language';

import { accepted, admit, type Asking } from './asking.ts';
import { follow } from './follow.ts';
import { type ContainerState, isGone, keyOf } from './state.ts';
import { allows } from './transitions.ts';

type Context = Pick<DecideContext, 'now'>;
type Input = Asking & { readonly reason: string };

/**
 * Destroys it on its node, or at once where it never had a place. Of what is gone: the operation that
 * had it destroyed gets the same answer again, and the one that made it has nothing left to undo. Where
 * staff have ended the one that had it destroyed, the next one may give back what it held; for all
 * others it is gone.
 */
export function destroyContainer(state: ContainerState, input: Input, context: Context): Decision {
  const { containerId, ref, notAfter } = input;
  const { operationId } = ref;
  const own = state.deletedFor.includes(operationId) || state.madeBy === operationId;
  if (isGone(state) && (own || (isAbandoned(state) && state.tenantId === input.tenantId))) {
    if (state.settled.includes(keyOf(ref))) return accept();
    const undoes = state.madeBy === operationId;
    const events = [
      accepted(input, 'containers.destroy'),
      ...(undoes ? undoneEvents(state, context.now) : []),
    ];
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
    ...deletedEvents(state, containerId, context.now),
  ];
  return accept(...follow(state, events, context, { notAfter }));
}

/** Whether staff have ended every operation that had it deleted, which may not have given back all. */
function isAbandoned({ deletedFor, abandonedBy }: ContainerState): boolean {
  return deletedFor.length > 0 && deletedFor.every((one) => abandonedBy.includes(one));
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

/** It is gone; and undone, where the operation that made it asked for that. */
export function deletedEvents(state: ContainerState, containerId: string, now: string): Decided[] {
  // Only what was requested has a tenant, and only that is deleted.
  if (state.tenantId === undefined) throw new RangeError(`${containerId} was never requested`);
  const { tenantId, madeBy, deletedFor } = state;
  const ran = state.runningAt !== undefined;
  return [
    ContainerDeleted({ containerId, tenantId, endedAt: now, ran }),
    ...(madeBy !== undefined && deletedFor.includes(madeBy) ? undoneEvents(state, now) : []),
  ];
}

/** What never ran was never charged: there is nothing to say of it. */
function undoneEvents(state: ContainerState, now: string): Decided[] {
  const { containerId, tenantId, runningAt, undone } = state;
  if (tenantId === undefined || runningAt === undefined || undone) return [];
  return [OrderUndone({ containerId, tenantId, undoneAt: now })];
}
