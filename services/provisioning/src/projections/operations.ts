/** Operations as their owners see them, and the deadlines of what has been asked. */
import type { EventOf } from '@bivouac/events/language';
import { StepAsked } from '@bivouac/events/operations';
import {
  AttentionNeeded,
  CancelRequested,
  OperationCancelled,
  OperationFailed,
  OperationStarted,
  OperationSucceeded,
  StepEnded,
  UndoStarted,
} from '@bivouac/events/provisioning';
import { on, projection, timers } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import type { OperationView } from '../api/index.ts';
import { isUndo } from '../domain/operation.ts';
import { TimeOutAsk } from '../internal.ts';

export const operations = table<OperationView>()({
  name: 'operations',
  key: (row) => row.id,
  indexes: {
    byPosition: (row) => [row.position],
    byTenant: (row) => [row.tenantId, row.position],
    byTarget: (row) => [row.target.id, row.position],
  },
});

/** How many steps each kind takes when all goes well: what progress counts towards. */
const usualSteps = {
  provision: 5,
  suspend: 1,
  resume: 1,
  power: 1,
  resize: 4,
  'add-address': 4,
  'remove-address': 3,
  packages: 2,
  delete: 1,
  restore: 2,
  cancel: 4,
  terminate: 4,
  'close-month': 1,
  'run-month': 1,
} as const;

export const operationsProjection = projection({
  name: 'provisioning.operations',
  tables: [operations, timers],
  on: [
    on(OperationStarted, (event, view) => {
      view.put(operations, {
        id: event.data.operationId,
        kind: event.data.kind,
        tenantId: event.data.tenantId,
        status: 'running',
        progress: 0,
        steps: [],
        target: event.data.target,
        error: null,
        invoiceId: null,
        createdAt: event.time,
        endedAt: null,
        position: event.position,
      });
    }),
    on(StepAsked, (event, view) => {
      const { ref, ask, tenantId, notAfter } = event.data;
      change(view, ref.operationId, (row) => ({
        ...row,
        steps: [
          ...row.steps,
          {
            name: ref.step,
            ask,
            attempt: ref.attempt,
            status: 'asked',
            askedAt: event.time,
            endedAt: null,
            refusal: null,
          },
        ],
      }));
      view.put(timers, {
        id: timerId(ref),
        due: notAfter,
        homeId: event.homeid,
        command: TimeOutAsk.name,
        input: { ref, ask, tenantId, homeId: event.homeid },
      });
    }),
    on(StepEnded, (event, view) => {
      const { ref, outcome, refusal } = event.data;
      view.delete(timers, timerId(ref));
      change(view, ref.operationId, (row) => {
        const steps = row.steps.map((step) =>
          step.name === ref.step && step.attempt === ref.attempt
            ? { ...step, status: outcome, endedAt: event.time, refusal: refusal ?? null }
            : step,
        );
        const done = steps.filter((step) => step.status === 'done' && !isUndo(step.name)).length;
        // It says 100 only when it has succeeded.
        const progress = Math.min(99, Math.floor((100 * done) / usualSteps[row.kind]));
        return { ...row, steps, progress: Math.max(row.progress, progress) };
      });
    }),
    on(CancelRequested, (event, view) => {
      change(view, event.data.operationId, (row) => ({ ...row, status: 'undoing' }));
    }),
    on(UndoStarted, (event, view) => {
      change(view, event.data.operationId, (row) => ({
        ...row,
        status: 'undoing',
        error: event.data.refusal,
      }));
    }),
    on(OperationSucceeded, (event, view) => {
      change(view, event.data.operationId, (row) => ({
        ...ended(row, event, 'succeeded'),
        progress: 100,
        invoiceId: event.data.invoiceId,
      }));
    }),
    on(OperationFailed, (event, view) => {
      change(view, event.data.operationId, (row) => ({
        ...ended(row, event, 'failed'),
        error: event.data.refusal,
      }));
    }),
    on(OperationCancelled, (event, view) => {
      change(view, event.data.operationId, (row) => ended(row, event, 'cancelled'));
    }),
    on(AttentionNeeded, (event, view) => {
      change(view, event.data.operationId, (row) => ({
        ...row,
        status: 'needs-attention',
        error: event.data.refusal,
      }));
    }),
  ],
});

function timerId(ref: EventOf<typeof StepAsked>['data']['ref']): string {
  return `${ref.operationId}/${ref.step}/${ref.attempt}`;
}

function ended(
  row: OperationView,
  event: { readonly time: string },
  status: OperationView['status'],
): OperationView {
  return { ...row, status, endedAt: event.time };
}

function change(view: WritableView, id: string, next: (row: OperationView) => OperationView): void {
  const row = view.get(operations, id);
  if (row !== undefined) view.put(operations, next(row));
}
