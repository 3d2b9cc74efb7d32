/** From an order to a container that runs. */
import type { OrderOf } from '@bivouac/events/provisioning';
import { deriveId } from '@bivouac/events/values';

import { giveBack } from './give-back.ts';
import {
  attemptDone,
  isDone,
  look,
  type PlanFacts,
  resultOf,
  reversible,
  type StepPlan,
  undoName,
} from './plan.ts';
import { containerVector, leaseIdsOf, reservationIdOf } from './resources.ts';

/** What a container's history says of an order that was undone. */
const UNFULFILLED = 'the order could not be fulfilled';

export function provision(facts: PlanFacts, order: OrderOf<'provision'>): StepPlan[] {
  const { operationId } = facts;
  const containerId = facts.target.id;
  const quoted = () => resultOf(facts, 'quote', 'billing.quote').plan;
  const prepared = () => resultOf(facts, 'prepare', 'containers.prepare');
  const addresses = () => quoted().includedAddresses + order.extraAddresses;
  const vector = () => containerVector(quoted().limits, addresses());
  const reservation = (attempt: number) => reservationIdOf(operationId, attempt);
  const placement = (attempt: number) =>
    deriveId('placement', operationId, 'place', String(attempt));
  const leases = (attempt: number) => leaseIdsOf(operationId, attempt, addresses());
  const made = (step: string) => attemptDone(facts, step);
  /**
   * Its owner may have changed it between its first run and our hearing of it: what it has by then from
   * other operations, which have ended, is given back with it. What is this order's own has its undo.
   */
  const changed = (attempt: number): StepPlan[] => {
    const undo = undoName('build', attempt);
    if (!isDone(facts, undo)) return [];
    const held = resultOf(facts, undo, 'containers.destroy');
    const own = new Set([reservation(made('reserve')), ...leases(made('prepare'))]);
    const others = {
      location: held.location,
      addresses: held.addresses.filter(({ leaseId }) => !own.has(leaseId)),
      reservationIds: held.reservationIds.filter((id) => !own.has(id)),
    };
    return giveBack(undo, others, 'undo-build-');
  };
  return [
    look('admit', 'accounts.admit', [], () => ({ tenantId: order.tenantId })),
    look('quote', 'billing.quote', [], () => ({ planCode: order.planCode })),
    reversible(
      'reserve',
      'quotas.reserve',
      ['admit', 'quote'],
      (attempt) => ({
        reservationId: reservation(attempt),
        tenantId: order.tenantId,
        vector: vector(),
      }),
      'quotas.release',
      (attempt) => ({ reservationId: reservation(attempt) }),
    ),
    // Once: the container's id is the order's, and what was discarded is never requested again.
    {
      ...reversible(
        'prepare',
        'containers.prepare',
        ['reserve'],
        (attempt) => ({
          containerId,
          tenantId: order.tenantId,
          hostname: order.hostname,
          plan: quoted(),
          imageId: order.imageId,
          placementId: placement(attempt),
          vector: vector(),
          leaseIds: leases(attempt),
          family: order.family,
          placement: order.placement,
          ...(order.location === undefined ? {} : { location: order.location }),
          ...(order.address === undefined ? {} : { address: order.address }),
          ...(order.labels === undefined ? {} : { labels: order.labels }),
          ...(order.features === undefined ? {} : { features: order.features }),
        }),
        'containers.discard',
        (attempt) => ({
          containerId,
          reason: UNFULFILLED,
          placementId: placement(attempt),
          leaseIds: leases(attempt),
          ...(made('prepare') === attempt
            ? { nodeId: prepared().nodeId, addresses: prepared().addresses }
            : { addresses: [] }),
        }),
      ),
      attempts: 1,
    },
    {
      ...reversible(
        'build',
        'containers.build',
        ['prepare'],
        () => ({
          containerId,
          nodeId: prepared().nodeId,
          placementId: placement(made('prepare')),
          reservationId: reservation(made('reserve')),
          addresses: prepared().addresses,
        }),
        'containers.destroy',
        () => ({ containerId, reason: UNFULFILLED }),
        changed,
      ),
      seconds: 300,
      attempts: 1,
      pivot: true,
    },
  ];
}
