/** A container's addresses by its events, and what its node's network should be and is. */
import {
  AddressesAttached,
  AddressesAttaching,
  AddressesDetached,
  AddressesRemoving,
  AskSettled,
  InstructionAnswered,
} from '@bivouac/events/containers';
import type { LeasedAddress } from '@bivouac/events/operations';

import type { ContainerEvent, ContainerState } from './state.ts';

export function evolveNetwork(state: ContainerState, event: ContainerEvent): ContainerState {
  switch (event.type) {
    case AddressesAttaching.type: {
      const networkWish = state.networkWish + 1;
      const extras = new Map(state.extras);
      for (const { leaseId } of event.data.addresses) extras.set(leaseId, event.data.reservationId);
      const more = event.data.addresses.map((address) => ({ ...address, networkWish }));
      return { ...state, networkWish, extras, attaching: [...state.attaching, ...more] };
    }
    case AddressesAttached.type: {
      const ids = new Set(event.data.addresses.map((address) => address.leaseId));
      return {
        ...state,
        addresses: [...state.addresses, ...event.data.addresses],
        attaching: state.attaching.filter((address) => !ids.has(address.leaseId)),
      };
    }
    case AddressesRemoving.type: {
      const { leaseIds } = event.data;
      const has = state.addresses.some(({ leaseId }) => leaseIds.includes(leaseId));
      const networkWish = state.networkWish + (has ? 1 : 0);
      return { ...state, networkWish, removal: { leaseIds, networkWish } };
    }
    case AddressesDetached.type:
      return detached(state, new Set(event.data.leaseIds));
    case AskSettled.type: {
      const { name, outcome } = event.data;
      if (name === 'containers.attach' && outcome !== 'done') {
        // The operation gives these back; the node may or may not have configured them.
        const extras = new Map(state.extras);
        for (const { leaseId } of state.attaching) extras.delete(leaseId);
        return { ...state, attaching: [], extras, networkWish: state.networkWish + 1 };
      }
      if (name !== 'containers.remove-addresses') return state;
      // The node may have taken them away though it did not say so.
      const networkWish = state.networkWish + (outcome === 'done' ? 0 : 1);
      return { ...state, removal: undefined, networkWish };
    }
    case InstructionAnswered.type: {
      const { instruction } = state;
      if (instruction?.step !== 'network' || event.data.outcome !== 'done') return state;
      return { ...state, networkDone: instruction.networkWish };
    }
    default:
      return state;
  }
}

function detached(state: ContainerState, ids: ReadonlySet<string>): ContainerState {
  const extras = new Map(state.extras);
  const removed = new Map(state.removed);
  for (const address of state.addresses) {
    const { leaseId } = address;
    if (ids.has(leaseId)) removed.set(leaseId, { address, reservationId: extras.get(leaseId) });
  }
  for (const id of ids) extras.delete(id);
  const without = <A extends LeasedAddress>(list: readonly A[]): A[] =>
    list.filter((address) => !ids.has(address.leaseId));
  const addresses = without(state.addresses);
  const attaching = without(state.attaching);
  const touched =
    addresses.length < state.addresses.length || attaching.length < state.attaching.length;
  // Those that an ask had removed are off the node already.
  const known = [...ids].every((id) => state.removal?.leaseIds.includes(id) === true);
  return {
    ...state,
    addresses,
    attaching,
    extras,
    removed,
    detached: new Set([...state.detached, ...ids]),
    networkWish: state.networkWish + (touched && !known ? 1 : 0),
  };
}
