/** Operations as their owners and the staff see them. */
import { StepAsked } from '@bivouac/events/operations';
import {
  AttentionNeeded,
  CancelRequested,
  OperationCancelled,
  OperationFailed,
  OperationStarted,
  OperationSucceeded,
  OverdueReservationNoted,
  StepDelayed,
  StepEnded,
  UndoStarted,
} from '@bivouac/events/provisioning';
import { on, projection } from '@bivouac/infra/runtime';

import { childHandlers } from './children.ts';
import { withProgress } from './progress.ts';
import { change, ended, operations } from './rows.ts';
import { staffHandlers } from './staff.ts';

export const operationsProjection = projection({
  name: 'provisioning.operations',
  tables: [operations],
  on: [
    on(OperationStarted, (event, view) => {
      const { operationId, kind, tenantId, target, parentId } = event.data;
      view.put(operations, {
        id: operationId,
        ...{ kind, tenantId, target },
        parentId: parentId ?? null,
        status: 'running',
        progress: 0,
        plannedSteps: 0,
        steps: [],
        cancellable: true,
        error: null,
        attentionSince: null,
        interventions: [],
        leftovers: [],
        overdueReservationIds: [],
        children: null,
        invoiceId: null,
        createdAt: event.time,
        endedAt: null,
        position: event.position,
      });
    }),
    on(StepAsked, (event, view) => {
      const { ref, ask, notAfter, pivot, planned } = event.data;
      const step = {
        ...{ name: ref.step, ask, attempt: ref.attempt, status: 'asked' as const },
        ...{ askedAt: event.time, deadline: notAfter, endedAt: null, refusal: null },
        pivot: pivot ?? null,
      };
      change(view, ref.operationId, (row) =>
        withProgress({
          ...row,
          steps: [...row.steps, step],
          plannedSteps: Math.max(row.plannedSteps, planned ?? 0),
        }),
      );
    }),
    on(StepEnded, (event, view) => {
      const { ref, outcome, refusal } = event.data;
      change(view, ref.operationId, (row) =>
        withProgress({
          ...row,
          steps: row.steps.map((step) =>
            step.name === ref.step && step.attempt === ref.attempt
              ? { ...step, status: outcome, endedAt: event.time, refusal: refusal ?? null }
              : step,
          ),
        }),
      );
    }),
    on(StepDelayed, (event, view) => {
      const { operationId, ref, until: againAt } = event.data;
      change(view, operationId, (row) => ({
        ...row,
        steps: row.steps.map((step) =>
          step.name === ref.step && step.attempt === ref.attempt ? { ...step, againAt } : step,
        ),
      }));
    }),
    on(CancelRequested, ({ data }, view) => {
      change(view, data.operationId, (row) => withProgress({ ...row, status: 'undoing' }));
    }),
    on(UndoStarted, ({ data }, view) => {
      const { operationId, refusal: error } = data;
      change(view, operationId, (row) => withProgress({ ...row, status: 'undoing', error }));
    }),
    on(AttentionNeeded, ({ data, time }, view) => {
      const { operationId, refusal: error } = data;
      change(view, operationId, (row) =>
        withProgress({ ...row, status: 'needs-attention', error, attentionSince: time }),
      );
    }),
    on(OverdueReservationNoted, ({ data }, view) => {
      change(view, data.operationId, (row) => ({
        ...row,
        overdueReservationIds: [...row.overdueReservationIds, data.reservationId],
      }));
    }),
    on(OperationSucceeded, ({ data, time }, view) => {
      const { operationId, invoiceId } = data;
      change(view, operationId, (row) => ({
        ...ended(row, time, 'succeeded'),
        progress: 100,
        invoiceId,
      }));
    }),
    on(OperationFailed, ({ data, time }, view) => {
      const { operationId, refusal: error } = data;
      change(view, operationId, (row) => ({ ...ended(row, time, 'failed'), error }));
    }),
    on(OperationCancelled, ({ data, time }, view) => {
      change(view, data.operationId, (row) => ended(row, time, 'cancelled'));
    }),
    ...childHandlers,
    ...staffHandlers,
  ],
});
