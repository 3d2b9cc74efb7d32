/** Attaching, detaching and removing leased addresses: the node's whole network is set anew. */
import {
  AddressesAttaching,
  AddressesDetached,
  AddressesRemoving,
} from '@bivouac/events/containers';
import { accept, type Decision, type DecideContext, refuse } from '@bivouac/events/language';
import type { LeasedAddress } from '@bivouac/events/operations';

import { accepted, admit, type Asking } from './asking.ts';
import { follow } from './follow.ts';
import { held } from './held.ts';
import type { ContainerState } from './state.ts';

type Context = Pick<DecideContext, 'now'>;

/** Most addresses of one container. */
const MAX_ADDRESSES = 256;

/** Refused besides {@link admit}: CONTAINER_HELD, LEASE_DETACHED, TOO_MANY_ADDRESSES. */
export function attachAddresses(
  state: ContainerState,
  input: Asking & {
    readonly reservationId: string;
    readonly addresses: readonly LeasedAddress[];
  },
  context: Context,
): Decision {
  const { containerId, reservationId, ref, notAfter } = input;
  const beginning = admit(state, input, 'attach', context);
  if ('answer' in beginning) return beginning.answer;
  const has = new Set([...state.addresses, ...state.attaching].map((address) => address.leaseId));
  const fresh = input.addresses.filter((address) => !has.has(address.leaseId));
  const gone = fresh.find((address) => state.detached.has(address.leaseId));
  if (gone !== undefined) {
    return refuse(
      'LEASE_DETACHED',
      `The lease ${gone.leaseId} was detached before it was attached; lease another address.`,
    );
  }
  if (fresh.length > 0 && state.holds.size > 0) return held(state, containerId);
  if (has.size + fresh.length > MAX_ADDRESSES) {
    return refuse(
      'TOO_MANY_ADDRESSES',
      `A container has at most ${MAX_ADDRESSES} addresses; this one has ${has.size}.`,
      { details: { has: has.size, asked: fresh.length, most: MAX_ADDRESSES } },
    );
  }
  const events = [...beginning.begin];
  if (fresh.length > 0) {
    events.push(AddressesAttaching({ containerId, addresses: fresh, reservationId, ask: ref }));
  }
  if (fresh.length === 0 || state.instruction !== undefined) {
    events.push(accepted(input, 'containers.attach'));
  }
  return accept(...follow(state, events, context, { notAfter }));
}

/** Undoes an attachment, whether or not it happened; a late one is refused. */
export function detachAddresses(
  state: ContainerState,
  input: Asking & { readonly leaseIds: readonly string[] },
  context: Context,
): Decision {
  const { containerId, notAfter } = input;
  const beginning = admit(state, input, 'detach', context);
  if ('answer' in beginning) return beginning.answer;
  const leaseIds = input.leaseIds.filter((leaseId) => !state.detached.has(leaseId));
  const events = [...beginning.begin, accepted(input, 'containers.detach')];
  if (leaseIds.length > 0 && state.tenantId !== undefined) {
    const { tenantId } = state;
    const facts = { containerId, tenantId, leaseIds, detachedAt: context.now };
    events.push(AddressesDetached({ ...facts, undone: true }));
  }
  return accept(...follow(state, events, context, { notAfter }));
}

/**
 * Takes addresses from it; they are its own until the node has. All of them or none. What was taken
 * from it before is done, whatever became of the container since: nobody else gives it back. Refused
 * besides {@link admit}: ADDRESS_UNKNOWN, LAST_ADDRESS.
 */
export function removeAddresses(
  state: ContainerState,
  input: Asking & { readonly leaseIds: readonly string[] },
  context: Context,
): Decision {
  const { containerId, ref, notAfter } = input;
  const leaseIds = [...new Set(input.leaseIds)];
  const before = leaseIds.every((leaseId) => state.removed.has(leaseId));
  const beginning = admit(state, input, before ? 'giveBackRemoved' : 'removeAddresses', context);
  if ('answer' in beginning) return beginning.answer;
  const path = { path: ['input', 'leaseIds'] };
  const has = new Set(state.addresses.map(({ leaseId }) => leaseId));
  const unknown = leaseIds.find((leaseId) => !has.has(leaseId) && !state.removed.has(leaseId));
  if (unknown !== undefined) {
    const message = `The container ${containerId} has no address by the lease ${unknown}; read its addresses.`;
    return refuse('ADDRESS_UNKNOWN', message, path);
  }
  if (
    leaseIds.some((leaseId) => has.has(leaseId)) &&
    [...has].every((id) => leaseIds.includes(id))
  ) {
    const message = `The container ${containerId} would have no address left; leave it one, or delete it.`;
    return refuse('LAST_ADDRESS', message, path);
  }
  const events = [...beginning.begin, AddressesRemoving({ containerId, leaseIds, ask: ref })];
  if (state.instruction !== undefined) events.push(accepted(input, 'containers.remove-addresses'));
  return accept(...follow(state, events, context, { notAfter }));
}
