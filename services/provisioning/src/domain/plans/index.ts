/**
 * What each kind of operation asks for, in which order, with which undo: the workflows themselves.
 * A plan is a function of the order and of the results so far, so it can grow as facts come in.
 */
import { addAddress, removeAddress } from './addresses.ts';
import { cancelling, restore, softDelete, terminate } from './ending.ts';
import { closeMonth, runMonth } from './months.ts';
import type { Plan, PlanFacts } from './plan.ts';
import { provision } from './provision.ts';
import { packages, power, resize, resume, suspend } from './running.ts';

export { undoName } from './plan.ts';
export type { Plan, PlanFacts, StepPlan, StepResult, Verdict } from './plan.ts';

/** What an operation has to do, as far as it can be known now. */
export function planOf(facts: PlanFacts): Plan {
  const { order } = facts;
  switch (order.kind) {
    case 'provision':
      return { steps: provision(facts, order) };
    case 'suspend':
      return { steps: suspend(facts, order) };
    case 'resume':
      return { steps: resume(order) };
    case 'power':
      return { steps: power(order) };
    case 'resize':
      return { steps: resize(facts, order) };
    case 'add-address':
      return { steps: addAddress(facts, order) };
    case 'remove-address':
      return { steps: removeAddress(facts, order) };
    case 'packages':
      return { steps: packages(facts, order) };
    case 'delete':
      return { steps: softDelete(facts, order) };
    case 'restore':
      return { steps: restore(facts, order) };
    case 'cancel':
      return { steps: cancelling(facts, order) };
    case 'terminate':
      return { steps: terminate(facts, order) };
    case 'close-month':
      return { steps: closeMonth(order) };
    case 'run-month':
      return runMonth(facts, order);
  }
}
