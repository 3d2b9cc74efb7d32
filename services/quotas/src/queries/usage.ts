/** What a container or an account used, from the hours and days that were rolled up. */
import { type QueryContext, type QueryHandler, queryHandler } from '@bivouac/infra/runtime';
import type { View } from '@bivouac/infra/views';

import {
  MOST_USAGE,
  type Resolution,
  UsageOfContainer,
  UsageOfTenant,
  type UsageView,
} from '../api/index.ts';
import { quotas } from '../projections/ledger.ts';
import { usage, type UsageRow } from '../projections/usage.ts';

interface Range {
  readonly from: string;
  readonly to: string;
  readonly resolution: Resolution;
}

export const usageQueries: readonly QueryHandler[] = [
  queryHandler(UsageOfContainer, (view, { containerId, ...range }, context) =>
    used(view, containerId, range, context),
  ),
  queryHandler(UsageOfTenant, (view, { tenantId, ...range }, context) =>
    context.reaches(tenantId) && view.get(quotas, tenantId) !== undefined
      ? (used(view, tenantId, range, context) ?? [])
      : null,
  ),
];

/** Null where the subject is out of reach, or nothing was ever recorded of it. */
function used(
  view: View,
  subjectId: string,
  { from, to, resolution }: Range,
  { reaches }: QueryContext,
): UsageView[] | null {
  const [any] = view.range(usage, 'bySubject', [subjectId], { limit: 1 });
  if (any === undefined || !reaches(any.row.tenantId)) return null;
  const rows: UsageView[] = [];
  // Back from the end: the newest are asked for most.
  let before: string | undefined;
  for (;;) {
    const page = view.range(usage, 'bySubject', [subjectId, resolution], {
      limit: MOST_USAGE,
      reverse: true,
      before,
    });
    for (const { row } of page) {
      if (row.start < from) return rows.reverse();
      if (row.start < to) rows.push(shown(row));
    }
    if (page.length < MOST_USAGE) return rows.reverse();
    before = page.at(-1)?.cursor;
  }
}

function shown({
  subjectId: _subject,
  tenantId: _tenant,
  resolution: _resolution,
  seenAt: _seenAt,
  ...view
}: UsageRow): UsageView {
  return view;
}
