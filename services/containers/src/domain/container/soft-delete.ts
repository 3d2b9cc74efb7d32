/** Deleting a container for its owner, with a window in which that can be taken back. */
import {
  ContainerRestored,
  RestoreWindowEnded,
  SoftDeletionRequested,
} from '@bivouac/events/containers';
import { accept, type Decision, type DecideContext, refuse } from '@bivouac/events/language';

import { accepted, admit, type Asking } from './asking.ts';
import { follow } from './follow.ts';
import type { ContainerState } from './state.ts';

type Context = Pick<DecideContext, 'now'>;

/** Stops it, then it is deleted. Of one that is deleted so: the first deletion's window stays. */
export function softDeleteContainer(
  state: ContainerState,
  input: Asking & { readonly reason: string; readonly restoreUntil: string },
  context: Context,
): Decision {
  const { containerId, reason, restoreUntil, ref, notAfter } = input;
  const beginning = admit(state, input, 'softDelete', context);
  if ('answer' in beginning) return beginning.answer;
  const events = [...beginning.begin];
  const already = state.lifecycle === 'soft-deleted';
  if (!already) {
    events.push(SoftDeletionRequested({ containerId, reason, restoreUntil, ask: ref }));
  }
  if (already || state.instruction !== undefined) {
    events.push(accepted(input, 'containers.soft-delete'));
  }
  return accept(...follow(state, events, context, { notAfter }));
}

/**
 * It is what it was, and runs again if it ran; a hold keeps it stopped. Of one that is not deleted:
 * done. Refused besides {@link admit}: RESTORE_WINDOW_ENDED.
 */
export function restoreContainer(state: ContainerState, input: Asking, context: Context): Decision {
  const { containerId, ref, notAfter } = input;
  const beginning = admit(state, input, 'restore', context);
  if ('answer' in beginning) return beginning.answer;
  const events = [...beginning.begin];
  const { softDeleted, tenantId, plan, hostname } = state;
  const restored = softDeleted !== undefined && tenantId !== undefined && plan !== undefined;
  if (restored) {
    if (softDeleted.windowEnded || context.now > softDeleted.restoreUntil) {
      return refuse(
        'RESTORE_WINDOW_ENDED',
        `The container ${containerId} could be restored until ${softDeleted.restoreUntil}; order another.`,
        { path: ['input', 'containerId'], details: { restoreUntil: softDeleted.restoreUntil } },
      );
    }
    const addresses = [...state.addresses];
    const facts = { containerId, tenantId, plan, hostname, addresses };
    events.push(ContainerRestored({ ...facts, restoredAt: context.now, ask: ref }));
  }
  if (!restored || state.instruction !== undefined) {
    events.push(accepted(input, 'containers.restore'));
  }
  return accept(...follow(state, events, context, { notAfter }));
}

/** By timer. Of a deletion that was taken back, or is another one now: nothing. */
export function endRestoreWindow(
  state: ContainerState,
  input: { readonly containerId: string; readonly restoreUntil: string },
  context: Context,
): Decision {
  const { containerId, restoreUntil } = input;
  const { softDeleted, tenantId } = state;
  if (softDeleted?.restoreUntil !== restoreUntil || softDeleted.windowEnded) return accept();
  if (tenantId === undefined) return accept();
  if (context.now < restoreUntil) {
    return refuse(
      'RESTORE_WINDOW_OPEN',
      `The container ${containerId} can be restored until ${restoreUntil}; end it after that.`,
      { retryable: true },
    );
  }
  return accept(RestoreWindowEnded({ containerId, tenantId }));
}
