/** More and fewer addresses of a container. */
import type { OrderOf } from '@bivouac/events/provisioning';

import {
  attemptDone,
  forward,
  isDone,
  look,
  type PlanFacts,
  resultOf,
  reversible,
  type StepPlan,
} from './plan.ts';
import { giveBack } from './give-back.ts';
import { addressVector, leaseIdsOf, reservationIdOf } from './resources.ts';

export function addAddress(facts: PlanFacts, order: OrderOf<'add-address'>): StepPlan[] {
  const { containerId, count, family } = order;
  const inspected = () => resultOf(facts, 'inspect', 'containers.inspect');
  const leased = () => resultOf(facts, 'lease', 'containers.lease').addresses;
  const reservation = (attempt: number) => reservationIdOf(facts.operationId, attempt);
  const leases = (attempt: number) => leaseIdsOf(facts.operationId, attempt, count);
  const made = (step: string) => attemptDone(facts, step);
  return [
    look('inspect', 'containers.inspect', [], () => ({ containerId })),
    reversible(
      'reserve',
      'quotas.reserve',
      ['inspect'],
      (attempt) => ({
        reservationId: reservation(attempt),
        tenantId: facts.tenantId,
        vector: addressVector(count),
      }),
      'quotas.release',
      (attempt) => ({ reservationId: reservation(attempt) }),
    ),
    reversible(
      'lease',
      'containers.lease',
      ['reserve'],
      (attempt) => ({
        containerId,
        leaseIds: leases(attempt),
        family,
        location: inspected().location,
      }),
      'containers.unlease',
      (attempt) => ({
        leaseIds: leases(attempt),
        addresses: made('lease') === attempt ? leased() : [],
        location: inspected().location,
        family,
      }),
    ),
    {
      ...reversible(
        'attach',
        'containers.attach',
        ['lease'],
        () => ({ containerId, reservationId: reservation(made('reserve')), addresses: leased() }),
        'containers.detach',
        () => ({ containerId, leaseIds: leases(made('lease')) }),
      ),
      seconds: 180,
      attempts: 1,
      pivot: true,
    },
  ];
}

/** Once the node no longer has them, leases and quota go back. */
export function removeAddress(facts: PlanFacts, order: OrderOf<'remove-address'>): StepPlan[] {
  const { containerId, leaseIds } = order;
  const remove = forward('remove', 'containers.remove-addresses', [], () => ({
    containerId,
    leaseIds,
  }));
  if (!isDone(facts, 'remove')) return [remove];
  const held = resultOf(facts, 'remove', 'containers.remove-addresses');
  return [remove, ...giveBack('remove', held)];
}
