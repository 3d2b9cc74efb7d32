/** What changes how a container runs: holds, power, its plan, its packages. */
import type { OrderOf } from '@bivouac/events/provisioning';
import { deriveId } from '@bivouac/events/values';

import {
  attemptDone,
  forward,
  look,
  type PlanFacts,
  resultOf,
  reversible,
  type StepPlan,
} from './plan.ts';
import { containerVector, reservationIdOf } from './resources.ts';
import { periodEnd } from './waiting.ts';

export function suspend(facts: PlanFacts, order: OrderOf<'suspend'>): StepPlan[] {
  const { containerId } = order;
  const hold = { holdId: deriveId('hold', facts.operationId), ...order.hold };
  return [forward('hold', 'containers.hold', [], () => ({ containerId, hold }))];
}

export function resume({ containerId, holdId }: OrderOf<'resume'>): StepPlan[] {
  return [forward('unhold', 'containers.unhold', [], () => ({ containerId, holdId }))];
}

/** A container that the node could not start or stop is as it was: nothing is left to mend. */
export function power({ containerId, action }: OrderOf<'power'>): StepPlan[] {
  const step = forward('power', 'containers.power', [], () => ({ containerId, action }));
  return [{ ...step, attempts: 2, onFailed: 'undo' }];
}

/**
 * Another plan. The larger of both counts against the quota until the node has the new limits; that
 * the old reservation is given back follows from the container's own event.
 */
export function resize(facts: PlanFacts, order: OrderOf<'resize'>): StepPlan[] {
  const { containerId, planCode } = order;
  const reservation = (attempt: number) => reservationIdOf(facts.operationId, attempt);
  const inspected = () => resultOf(facts, 'inspect', 'containers.inspect');
  const quoted = () => resultOf(facts, 'quote', 'billing.quote').plan;
  const later = order.at === 'period-end';
  return [
    // What cannot be done is said now, not in a month; what is so then is looked at then.
    ...(later
      ? [
          look('check', 'containers.inspect', [], () => ({ containerId })),
          look('check-plan', 'billing.quote', [], () => ({ planCode })),
          periodEnd(containerId, ['check', 'check-plan']),
        ]
      : []),
    look('inspect', 'containers.inspect', later ? ['period-end'] : [], () => ({ containerId })),
    look('quote', 'billing.quote', later ? ['period-end'] : [], () => ({ planCode })),
    reversible(
      'transfer',
      'quotas.transfer',
      ['inspect', 'quote'],
      (attempt) => {
        const { reservationId, addresses } = inspected().reservation;
        return {
          fromReservationId: reservationId,
          reservationId: reservation(attempt),
          tenantId: facts.tenantId,
          vector: containerVector(quoted().limits, addresses),
        };
      },
      'quotas.release',
      (attempt) => ({ reservationId: reservation(attempt) }),
    ),
    forward('resize', 'containers.resize', ['transfer'], () => ({
      containerId,
      plan: quoted(),
      reservationId: reservation(attemptDone(facts, 'transfer')),
    })),
  ];
}

/** rpm does a transaction wholly or says why not; what it says is the outcome. */
export function packages(facts: PlanFacts, order: OrderOf<'packages'>): StepPlan[] {
  const { containerId, action, packages } = order;
  const transaction = () => resultOf(facts, 'resolve', 'packages.resolve').transaction;
  return [
    look('resolve', 'packages.resolve', [], () => ({ containerId, action, packages })),
    {
      ...forward('packages', 'containers.packages', ['resolve'], () => ({
        containerId,
        transaction: transaction(),
      })),
      seconds: 900,
      attempts: 1,
      onFailed: 'undo',
    },
  ];
}
