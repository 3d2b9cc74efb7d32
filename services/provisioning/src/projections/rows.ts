/** The table of operations, with an index for each way of asking for a list. */
import { table, type WritableView } from '@bivouac/infra/views';

import type { OperationStatus, OperationView } from '../api/index.ts';

export const operations = table<OperationView>()({
  name: 'operations',
  key: (row) => row.id,
  indexes: {
    byPosition: (row) => [row.position],
    byTenant: (row) => [row.tenantId, row.position],
    byTarget: (row) => [row.target.id, row.position],
    byParent: (row) => (row.parentId === null ? undefined : [row.parentId, row.position]),
    byStatus: (row) => [row.status, row.position],
    byKind: (row) => [row.kind, row.position],
  },
});

/** Changes a row that is there. */
export function change(
  view: WritableView,
  id: string,
  next: (row: OperationView) => OperationView,
): void {
  const row = view.get(operations, id);
  if (row !== undefined) view.put(operations, next(row));
}

export function ended(row: OperationView, endedAt: string, status: OperationStatus): OperationView {
  return { ...row, status, endedAt, cancellable: false, attentionSince: null };
}
