/** Reading operations: one, a list, and what happened to one. */
import { historyOf, queryHandler } from '@bivouac/infra/runtime';
import { pageOf } from '@bivouac/infra/views';

import { OperationById, OperationHistory, Operations } from '../api/index.ts';
import { streamEvents } from '../domain/operation.ts';
import { operations } from '../projections/operations.ts';

export const operationById = queryHandler(OperationById, (view, { operationId }, context) => {
  const row = view.get(operations, operationId);
  return row !== undefined && context.reaches(row.tenantId) ? row : null;
});

export const operationList = queryHandler(
  Operations,
  (view, { page, tenantId, targetId }, context) => {
    const visible = (row: { readonly tenantId: string }): boolean => context.reaches(row.tenantId);
    if (targetId !== undefined)
      return pageOf(view, operations, 'byTarget', [targetId], page, visible);
    if (tenantId !== undefined)
      return pageOf(view, operations, 'byTenant', [tenantId], page, visible);
    return pageOf(view, operations, 'byPosition', [], page, visible);
  },
);

export const operationHistory = queryHandler(
  OperationHistory,
  async (view, { operationId, page }, context) => {
    const row = view.get(operations, operationId);
    if (row === undefined || !context.reaches(row.tenantId)) return null;
    return historyOf(context, `operation-${operationId}`, streamEvents, page);
  },
);
