/** What a node's `done` means, step by step: the facts that follow from it. */
import {
  AddressesAttached,
  AddressesDetached,
  ContainerFrozen,
  ContainerResized,
  ContainerRunning,
  ContainerStarted,
  ContainerStopped,
  ContainerThawed,
  PackagesChanged,
} from '@bivouac/events/containers';
import type { Decided, DecideContext } from '@bivouac/events/language';
import type { PackageReport } from '@bivouac/events/operations';

import { deletedEvents } from './destroy.ts';
import type { ContainerState, OpenInstruction } from './state.ts';

type Context = Pick<DecideContext, 'now'>;

/** What a `done` means, by step. */
export function effects(
  state: ContainerState,
  instruction: OpenInstruction,
  packages: PackageReport | undefined,
  context: Context,
): readonly Decided[] {
  const { containerId, tenantId, hostname, plan, image, reservationId } = state;
  const ask = instruction.ask === undefined ? {} : { ask: instruction.ask };
  if (tenantId === undefined || plan === undefined || image === undefined) return [];
  switch (instruction.step) {
    case 'build':
      // Only what was reserved is built.
      if (reservationId === undefined) return [];
      return [
        ContainerRunning({
          containerId,
          tenantId,
          hostname,
          plan,
          image,
          addresses: [...state.addresses],
          reservationId,
          runningAt: context.now,
        }),
      ];
    case 'start':
      return [ContainerStarted({ containerId, ...ask })];
    case 'stop':
      return [ContainerStopped({ containerId, ...ask })];
    case 'destroy':
      return deletedEvents(state, containerId, context.now);
    case 'freeze':
      return [ContainerFrozen({ containerId, ...ask })];
    case 'thaw':
      return [ContainerThawed({ containerId, ...ask })];
    case 'network':
      return [...attached(state, instruction, context), ...detached(state, instruction, context)];
    case 'limits':
      return resized(state, instruction, context);
    case 'packages':
      return packagesChanged(state, packages, instruction.ask?.operationId ?? null, context);
  }
}

function attached(
  state: ContainerState,
  instruction: OpenInstruction,
  context: Context,
): Decided[] {
  const { containerId, tenantId, plan, extras } = state;
  const addresses = state.attaching
    .filter((address) => address.networkWish <= instruction.networkWish)
    .map(({ leaseId, rangeId, address, family }) => ({ leaseId, rangeId, address, family }));
  if (addresses.length === 0 || tenantId === undefined || plan === undefined) return [];
  const reservationIds = [
    ...new Set(addresses.flatMap(({ leaseId }) => extras.get(leaseId) ?? [])),
  ];
  const facts = { containerId, tenantId, addresses, plan, reservationIds };
  return [AddressesAttached({ ...facts, attachedAt: context.now })];
}

function detached(
  state: ContainerState,
  instruction: OpenInstruction,
  context: Context,
): Decided[] {
  const { containerId, tenantId, removal } = state;
  if (removal === undefined || removal.networkWish > instruction.networkWish) return [];
  const leaseIds = state.addresses
    .map(({ leaseId }) => leaseId)
    .filter((leaseId) => removal.leaseIds.includes(leaseId));
  if (leaseIds.length === 0 || tenantId === undefined) return [];
  return [AddressesDetached({ containerId, tenantId, leaseIds, detachedAt: context.now })];
}

function resized(state: ContainerState, instruction: OpenInstruction, context: Context): Decided[] {
  const { containerId, tenantId, resizing, reservationId, plan } = state;
  if (resizing === undefined || instruction.limitsWish < state.limitsWish) return [];
  if (tenantId === undefined || plan === undefined || reservationId === undefined) return [];
  const previous = { previousReservationId: reservationId, previousPlan: plan };
  return [
    ContainerResized({ containerId, tenantId, ...resizing, ...previous, resizedAt: context.now }),
  ];
}

/** What is installed now, where that is news or an operation waits for it. */
export function packagesChanged(
  state: ContainerState,
  packages: PackageReport | undefined,
  operationId: string | null,
  context: Context,
): Decided[] {
  const { containerId, tenantId } = state;
  if (packages === undefined || tenantId === undefined) return [];
  const { inventory } = packages;
  if (operationId === null && inventory === state.inventory) return [];
  return [
    PackagesChanged({ containerId, tenantId, operationId, inventory, observedAt: context.now }),
  ];
}
