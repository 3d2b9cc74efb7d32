/**
 * Holds on a container: while any stands it is kept stopped. A hold never changes the lifecycle, so
 * what was running runs again when the last one is lifted.
 */
import { HoldLifted, HoldPlaced } from '@bivouac/events/containers';
import { accept, type Decision, type DecideContext, refuse } from '@bivouac/events/language';
import type { Hold } from '@bivouac/events/operations';

import { accepted, admit, type Asking } from './asking.ts';
import { follow } from './follow.ts';
import type { ContainerState } from './state.ts';
import { allows } from './transitions.ts';

type Context = Pick<DecideContext, 'now'>;

/** Refused besides {@link admit}: HOLD_LIFTED (its id has been used up). */
export function holdContainer(
  state: ContainerState,
  input: Asking & { readonly hold: Hold },
  context: Context,
): Decision {
  const { containerId, hold, ref, notAfter } = input;
  const beginning = admit(state, input, 'hold', context);
  if ('answer' in beginning) return beginning.answer;
  if (state.lifted.has(hold.holdId)) {
    return refuse('HOLD_LIFTED', `The hold ${hold.holdId} was lifted already; place a new one.`);
  }
  const fresh = !state.holds.has(hold.holdId);
  const events = [...beginning.begin];
  if (fresh) events.push(HoldPlaced({ containerId, hold, ask: ref }));
  // Where the node is busy, the deadline has to be known when it is this ask's turn.
  if (!fresh || state.instruction !== undefined) events.push(accepted(input, 'containers.hold'));
  return accept(...follow(state, events, context, { notAfter }));
}

/** Refused besides {@link admit}: HOLD_UNKNOWN, HOLD_OF_ACCOUNT (lifted on the account only). */
export function unholdContainer(
  state: ContainerState,
  input: Asking & { readonly holdId: string },
  context: Context,
): Decision {
  const { containerId, holdId, ref, notAfter } = input;
  const beginning = admit(state, input, 'unhold', context);
  if ('answer' in beginning) return beginning.answer;
  const standing = state.holds.get(holdId);
  if (standing === undefined && !state.lifted.has(holdId)) {
    return refuse('HOLD_UNKNOWN', `No hold ${holdId} stands on the container ${containerId}.`, {
      path: ['input', 'holdId'],
    });
  }
  if (standing?.byTenant === true) {
    return refuse(
      'HOLD_OF_ACCOUNT',
      `The hold ${holdId} stands on the account; it is lifted there, for all its containers.`,
      { path: ['input', 'holdId'] },
    );
  }
  const events = [...beginning.begin];
  if (standing !== undefined) events.push(HoldLifted({ containerId, holdId, ask: ref }));
  if (standing === undefined || state.instruction !== undefined) {
    events.push(accepted(input, 'containers.unhold'));
  }
  return accept(...follow(state, events, context, { notAfter }));
}

/** A hold of the tenant, from the roster. Never refused, whoever works on the container. */
export function placeTenantHold(
  state: ContainerState,
  input: { readonly containerId: string; readonly hold: Hold },
  context: Context,
): Decision {
  const { containerId, hold } = input;
  const known = state.holds.has(hold.holdId) || state.lifted.has(hold.holdId);
  if (known || !allows('tenantHold', state.lifecycle)) return accept();
  return accept(...follow(state, [HoldPlaced({ containerId, hold })], context));
}

/** Lifts a tenant's hold, from the roster. Of one that never came here: its tombstone. */
export function liftTenantHold(
  state: ContainerState,
  input: { readonly containerId: string; readonly holdId: string },
  context: Context,
): Decision {
  const { containerId, holdId } = input;
  if (state.lifted.has(holdId) || !allows('tenantHold', state.lifecycle)) return accept();
  return accept(...follow(state, [HoldLifted({ containerId, holdId })], context));
}
