/** How a container ends: at once, at the end of its paid period, or with time to think again. */
import type { OrderOf } from '@bivouac/events/provisioning';
import { plusSeconds } from '@bivouac/events/values';

import { giveBack } from './give-back.ts';
import { forward, isDone, look, type PlanFacts, resultOf, type StepPlan } from './plan.ts';
import { periodEnd } from './waiting.ts';

export function terminate(facts: PlanFacts, order: OrderOf<'terminate'>): StepPlan[] {
  return destroyAndGiveBack(facts, order, []);
}

/** The customer's notice. Until the period ends the container goes on and the notice can be taken back. */
export function cancelling(facts: PlanFacts, order: OrderOf<'cancel'>): StepPlan[] {
  if (order.at === 'now') return destroyAndGiveBack(facts, order, []);
  const { containerId } = order;
  return [
    look('check', 'containers.inspect', [], () => ({ containerId })),
    periodEnd(containerId, ['check']),
    ...destroyAndGiveBack(facts, order, ['period-end']),
  ];
}

/** Keeps place, addresses and data; terminated by another operation when the window has ended. */
export function softDelete(facts: PlanFacts, order: OrderOf<'delete'>): StepPlan[] {
  const { containerId, reason, restoreDays } = order;
  const restoreUntil = plusSeconds(facts.startedAt, restoreDays * 86_400);
  return [
    forward('soft-delete', 'containers.soft-delete', [], () => ({
      containerId,
      reason,
      restoreUntil,
    })),
  ];
}

/** It is charged again from then on, so whoever may not order may not restore. */
export function restore(facts: PlanFacts, { containerId }: OrderOf<'restore'>): StepPlan[] {
  const { tenantId } = facts;
  return [
    look('admit', 'accounts.admit', [], () => ({ tenantId })),
    forward('restore', 'containers.restore', ['admit'], () => ({ containerId })),
  ];
}

function destroyAndGiveBack(
  facts: PlanFacts,
  { containerId, reason }: { readonly containerId: string; readonly reason: string },
  after: readonly string[],
): StepPlan[] {
  const destroy = forward('destroy', 'containers.destroy', after, () => ({ containerId, reason }));
  if (!isDone(facts, 'destroy')) return [destroy];
  const held = resultOf(facts, 'destroy', 'containers.destroy');
  return [destroy, ...giveBack('destroy', held)];
}
