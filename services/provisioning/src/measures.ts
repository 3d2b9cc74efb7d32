/** How many operations have not ended, by kind and state, and the age of the oldest. */
import { millisecondsOf } from '@bivouac/events/values';
import type { ViewMeasure } from '@bivouac/infra/runtime';

import type { OperationStatus } from './api/index.ts';
import { operations } from './projections/rows.ts';

/** States in which somebody or something is still waited for. */
const open = [
  'running',
  'undoing',
  'needs-attention',
  'closing',
] as const satisfies readonly OperationStatus[];
/** Rows looked at of each state. */
const MOST = 10_000;
const PAGE = 500;

export const openOperations: ViewMeasure = (view, now, metrics) => {
  const counts = new Map<string, Counted>();
  for (const state of open) {
    let after: string | undefined;
    for (let read = 0; read < MOST;) {
      const page = view.range(operations, 'byStatus', [state], { after, limit: PAGE });
      for (const { row } of page) {
        const key = `${row.kind} ${state}`;
        const known = counts.get(key) ?? { kind: row.kind, state, count: 0, oldest: 0 };
        const age = Math.max(0, now - millisecondsOf(row.createdAt)) / 1000;
        counts.set(key, {
          ...known,
          count: known.count + 1,
          oldest: Math.max(known.oldest, age),
        });
      }
      read += page.length;
      if (page.length < PAGE) break;
      after = page.at(-1)?.cursor;
    }
  }
  const found = [...counts.values()];
  metrics.replace(
    'operations',
    found.map(({ kind, state, count }) => [{ kind, state }, count]),
  );
  metrics.replace(
    'operation_oldest_seconds',
    found.map(({ kind, state, oldest }) => [{ kind, state }, oldest]),
  );
};

interface Counted {
  readonly kind: string;
  readonly state: string;
  readonly count: number;
  readonly oldest: number;
}
