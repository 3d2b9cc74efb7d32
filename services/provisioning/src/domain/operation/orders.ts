/** Starting an operation and asking it to stop. */
import {
  accept,
  type DecideContext,
  type Decision,
  mayUse,
  refuse,
  type Rights,
} from '@bivouac/events/language';
import {
  CancelRequested,
  type OperationKind,
  type OperationOrder,
  OperationStarted,
  type OperationTarget,
  rightOfOrder,
} from '@bivouac/events/provisioning';
import { deriveId, idFromUuid } from '@bivouac/events/values';

import type { StepPlan } from '../plans/index.ts';
import { plan } from './advance.ts';
import { carryOn } from './answers.ts';
import { ended, unknown } from './refusals.ts';
import { isEnded, type OperationState } from './state.ts';

/** Who orders, as far as it decides what they may. */
export interface Orderer {
  /** The provider's staff, or the host itself. */
  readonly staff: boolean;
  /** Whether they act for a tenant, by their reach: their own, or one below it. */
  readonly reaches: (tenantId: string) => boolean;
  /** The tenant they are of: whoever invoices it is above them. */
  readonly tenantId: string;
}

/**
 * Starts the operation. Its id derives from the order's key, or from its parent's, and that of what
 * it makes from its own. Refused: NOT_ALLOWED.
 */
export function start(
  state: OperationState,
  input: {
    readonly order: OperationOrder;
    readonly tenantId: string;
    readonly by: Orderer;
    /** With a child. */
    readonly child?: { readonly operationId: string; readonly parentId: string };
  },
  context: DecideContext,
): Decision {
  if (state.phase !== 'new') return accept();
  const { order, tenantId, by, child } = input;
  const notTheirs = by.staff ? undefined : notTheirOrder(order, by);
  if (notTheirs !== undefined) return notTheirs;
  const operationId = child?.operationId ?? operationIdOf(context.commandKey);
  const started = OperationStarted({
    operationId,
    kind: order.kind,
    tenantId,
    target: targetOf(operationId, order),
    order,
    ...(child === undefined ? {} : { parentId: child.parentId }),
  });
  return carryOn(state, [started], context);
}

/** A hold binds its container's owner, and an invoice its debtor: it is their issuer's to make. */
function notTheirOrder(order: OperationOrder, by: Orderer): ReturnType<typeof refuse> | undefined {
  switch (order.kind) {
    case 'suspend':
    case 'resume':
      return refuse(
        'NOT_ALLOWED',
        `Only the provider's staff order this (${order.kind}); ask them to do it.`,
      );
    case 'close-month':
      // What is below one's own tenant is invoiced by that, or by another one below it.
      if (order.accountId !== by.tenantId && by.reaches(order.accountId)) return undefined;
      return refuse(
        'NOT_ALLOWED',
        'Only whoever invoices the account closes its months; ask them to do it.',
        { path: ['input', 'accountId'] },
      );
    case 'run-month':
      if (by.reaches(order.issuerId)) return undefined;
      return refuse('NOT_ALLOWED', 'Only the issuer itself runs its months; ask them to do it.', {
        path: ['input', 'issuerId'],
      });
    default:
      return undefined;
  }
}

/**
 * Asks the operation to stop. Refused: OPERATION_UNKNOWN, NOT_ALLOWED, OPERATION_ENDED,
 * OPERATION_NEEDS_ATTENTION, OPERATION_CANNOT_BE_CANCELLED.
 */
export function cancel(
  state: OperationState,
  { by, held }: { readonly by: Orderer; readonly held: Rights },
  context: DecideContext,
): Decision {
  const { phase, operationId, order } = state;
  const path = ['operationId'];
  if (phase === 'new' || order === undefined) return unknown();
  // Else who is to be held could call off the hold while it waits for what keeps the container busy.
  const mayOrder = mayUse(held, rightOfOrder(order));
  if (!mayOrder || (!by.staff && notTheirOrder(order, by) !== undefined)) {
    return refuse(
      'NOT_ALLOWED',
      `Only whoever may order this (${order.kind}) can cancel it; ask them to do it.`,
      { path, details: { operationId } },
    );
  }
  if (phase === 'undoing') return accept();
  if (isEnded(phase)) return ended(state, 'cancel');
  if (phase !== 'running') {
    return refuse(
      'OPERATION_NEEDS_ATTENTION',
      "The operation waits for the provider's staff, who will see to it; it cannot be cancelled meanwhile.",
      { path, details: { operationId } },
    );
  }
  const fixed = plan(state).steps.find((step) => isFinal(state, step));
  if (fixed !== undefined) {
    return refuse(
      'OPERATION_CANNOT_BE_CANCELLED',
      `The step ${fixed.name} has been taken and cannot be taken back by cancelling; wait for the end of the operation, then ${opposite(state.order?.kind)}.`,
      { path, details: { operationId, step: fixed.name } },
    );
  }
  return carryOn(state, [CancelRequested({ operationId })], context);
}

/** The operation that an order with this command key starts. */
export function operationIdOf(commandKey: string): string {
  return idFromUuid('operation', commandKey);
}

/** The container an order makes derives from the operation, so that a retry makes the same one. */
function targetOf(operationId: string, order: OperationOrder): OperationTarget {
  switch (order.kind) {
    case 'provision':
      return { type: 'container', id: deriveId('container', operationId) };
    case 'close-month':
      return { type: 'account', id: order.accountId };
    case 'run-month':
      return { type: 'account', id: order.issuerId };
    default:
      return { type: 'container', id: order.containerId };
  }
}

/** Whether it was done; or may have been, by whichever attempt, and cannot be undone. */
function isFinal(state: OperationState, step: StepPlan): boolean {
  if (step.pivot !== true) return false;
  return state.askings.some(
    ({ step: name, status }) =>
      name === step.name &&
      (status === 'done' || (step.undo === undefined && status !== 'refused')),
  );
}

/** What takes back what an operation has done, in a few words. */
function opposite(kind: OperationKind | undefined): string {
  switch (kind) {
    case 'provision':
      return 'terminate the container';
    case 'suspend':
      return 'have it resumed';
    case 'resume':
      return 'have it suspended';
    case 'power':
    case 'resize':
    case 'packages':
      return 'order what it was before';
    case 'add-address':
      return 'remove the addresses';
    case 'remove-address':
      return 'add addresses';
    case 'delete':
      return 'restore the container';
    case 'restore':
      return 'delete the container';
    case 'close-month':
    case 'run-month':
      return 'have the invoice voided';
    case 'cancel':
    case 'terminate':
    case undefined:
      return 'order another container';
  }
}
