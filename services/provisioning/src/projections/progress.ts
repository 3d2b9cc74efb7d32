/** How far an operation has come, and whether it can still be cancelled. */
import type { OperationKind } from '@bivouac/events/provisioning';

import type { OperationView } from '../api/index.ts';
import { isUndo } from '../domain/operation/index.ts';

/** Kinds that learn on the way how many steps they take, and how many that usually is. */
const usual: Partial<Record<OperationKind, number>> = {
  'remove-address': 3,
  cancel: 4,
  terminate: 4,
  // Most of it are the children.
  'run-month': 100,
};

/** The row with its progress as it is now: it never falls, and says 100 only of a success. */
export function withProgress(row: OperationView): OperationView {
  // What is answered once it goes back, or has ended, brings it no further.
  const now = row.status === 'running' ? Math.min(99, Math.floor(100 * share(row))) : 0;
  const progress = Math.max(row.progress, now);
  return { ...row, progress, cancellable: isCancellable(row) };
}

function share({ kind, plannedSteps, steps, children }: OperationView): number {
  const done = steps.filter(({ name, status }) => status === 'done' && !isUndo(name)).length;
  if (children === null) return done / Math.max(1, plannedSteps, usual[kind] ?? 0);
  return (done + children.succeeded + children.failed) / (done + children.total);
}

function isCancellable({ status, steps }: OperationView): boolean {
  const fixed = steps.some(
    (step) =>
      step.pivot !== null &&
      (step.status === 'done' || (step.pivot === 'asked' && step.status !== 'refused')),
  );
  return status === 'running' && !fixed;
}
