/** Reading operations: one, a list, and what happened to one. */
import { beganWithin } from '@bivouac/events/operations';
import { changesOf, historyOf, type QueryContext, queryHandler } from '@bivouac/infra/runtime';
import { pageOf } from '@bivouac/infra/views';

import type { z } from 'zod';

import {
  OperationById,
  OperationChanges,
  OperationHistory,
  Operations,
  type OperationView,
} from '../api/index.ts';
import { streamEvents } from '../domain/operation/index.ts';
import { operations } from '../projections/rows.ts';

export const operationById = queryHandler(OperationById, (view, { operationId }, context) => {
  const row = view.get(operations, operationId);
  return row !== undefined && context.reaches(row.tenantId) ? asSeen(row, context) : null;
});

export const operationList = queryHandler(Operations, (view, { page, ...filters }, context) => {
  const { tenantId, targetId, parentId, status, kind } = filters;
  const wanted = (row: OperationView): boolean =>
    context.reaches(row.tenantId) &&
    beganWithin(filters, row.createdAt) &&
    (tenantId === undefined || row.tenantId === tenantId) &&
    (targetId === undefined || row.target.id === targetId) &&
    (parentId === undefined || row.parentId === parentId) &&
    (status === undefined || row.status === status) &&
    (kind === undefined || row.kind === kind);
  const [index, prefix] = narrowest(filters);
  const found = pageOf(view, operations, index, prefix, page, wanted);
  const items = found.items.map((item) => ({ ...item, node: asSeen(item.node, context) }));
  return { ...found, items };
});

export const operationHistory = queryHandler(
  OperationHistory,
  async (view, { operationId, page }, context) => {
    const row = view.get(operations, operationId);
    if (row === undefined || !context.reaches(row.tenantId)) return null;
    return historyOf(context, `operation-${operationId}`, streamEvents, page);
  },
);

export const operationChanges = queryHandler(
  OperationChanges,
  async (view, { operationId, page }, context) => {
    const row = view.get(operations, operationId);
    if (row === undefined || !context.reaches(row.tenantId)) return null;
    return {
      ...(await changesOf(context, `operation-${operationId}`, page)),
      // Of before the events were read: whatever ended it is among them.
      over: row.endedAt !== null,
    };
  },
);

/** Why staff acted, and what is theirs to mend, is for the staff and the auditor. */
function asSeen(row: OperationView, { principal }: QueryContext): OperationView {
  if (principal.audience === 'staff' || principal.audience === 'auditor') return row;
  const interventions = row.interventions.map((one) => ({ ...one, actorId: null, reason: null }));
  return { ...row, interventions, leftovers: [], overdueReservationIds: [] };
}

/** The narrowest range of an index that holds all that is wanted; the rest is filtered. */
function narrowest({
  parentId,
  targetId,
  tenantId,
  status,
  kind,
}: Omit<z.output<typeof Operations.input>, 'page'>) {
  if (parentId !== undefined) return ['byParent', [parentId]] as const;
  if (targetId !== undefined) return ['byTarget', [targetId]] as const;
  if (tenantId !== undefined) return ['byTenant', [tenantId]] as const;
  if (status !== undefined) return ['byStatus', [status]] as const;
  if (kind !== undefined) return ['byKind', [kind]] as const;
  return ['byPosition', []] as const;
}
