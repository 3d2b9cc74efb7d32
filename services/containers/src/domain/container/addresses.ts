/** Attaching and detaching leased addresses; both end with the node's whole network set anew. */
import { AddressesAttaching, AddressesDetached } from '@bivouac/events/containers';
import { accept, type Decision, type DecideContext, refuse } from '@bivouac/events/language';
import type { LeasedAddress } from '@bivouac/events/operations';

import { accepted, admit, type Asking } from './asking.ts';
import { follow } from './follow.ts';
import { held } from './make.ts';
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
    const detachedAt = context.now;
    events.push(AddressesDetached({ containerId, tenantId: state.tenantId, leaseIds, detachedAt }));
  }
  return accept(...follow(state, events, context, { notAfter }));
}
