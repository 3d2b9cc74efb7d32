/** Limits and use of a tenant, what it holds, and what happened in its tree's ledger. */
import { ledgerEvents } from '@bivouac/events/quotas';
import { amountOf, axes, type Axis } from '@bivouac/events/values';
import { historyOf, type QueryHandler, queryHandler } from '@bivouac/infra/runtime';
import { pageOf } from '@bivouac/infra/views';

import {
  LedgerHistory,
  MOST_QUOTA_DAYS,
  type QuotaDay,
  QuotaDays,
  QuotaOf,
  ReservationsOf,
} from '../api/index.ts';
import { ledgerStream } from '../domain/ledger.ts';
import { levelsOf, type QuotaRow, quotas, reservations } from '../projections/ledger.ts';
import { quotaDays } from '../projections/quota-days.ts';

export const quotaQueries: readonly QueryHandler[] = [
  queryHandler(QuotaOf, (view, { tenantId }, { reaches }) => {
    const [row, ...above] = reaches(tenantId) ? levelsOf(view, tenantId) : [];
    if (row === undefined) return null;
    return {
      tenantId,
      homeId: row.homeId,
      parentId: row.parentId,
      limitUntil: row.until,
      axes: axes.map((axis) => {
        const own = roomOn(row, axis);
        const room = smallest([own, ...above.map((level) => roomOn(level, axis))]);
        return {
          axis,
          limit: row.limit === null ? null : amountOf(row.limit, axis).toString(),
          used: row.used[axis],
          reserved: row.reserved[axis],
          available: room?.toString() ?? null,
          inherited: room !== own,
        };
      }),
    };
  }),

  queryHandler(ReservationsOf, (view, { tenantId, page }, { reaches }) => {
    if (!reaches(tenantId) || view.get(quotas, tenantId) === undefined) return null;
    return pageOf(view, reservations, 'byTenant', [tenantId], page, () => true);
  }),

  queryHandler(QuotaDays, (view, { tenantId, from, to }, { reaches }) => {
    if (!reaches(tenantId) || view.get(quotas, tenantId) === undefined) return null;
    const days: QuotaDay[] = [];
    let before: string | undefined;
    for (;;) {
      const limit = MOST_QUOTA_DAYS;
      const page = view.range(quotaDays, 'byTenant', [tenantId], { limit, reverse: true, before });
      for (const { row } of page) {
        if (row.start < from) return days.reverse();
        if (row.start < to) days.push({ start: row.start, axes: row.axes });
      }
      if (page.length < limit) return days.reverse();
      before = page.at(-1)?.cursor;
    }
  }),

  queryHandler(LedgerHistory, (view, { homeId, page }, context) => {
    const row = context.reaches(homeId) ? view.get(quotas, homeId) : undefined;
    if (row?.homeId !== homeId) return null;
    return historyOf(context, ledgerStream(homeId), ledgerEvents, page);
  }),
];

/** What still fits on one level; nothing where its limit was lowered below its use. */
function roomOn(row: QuotaRow, axis: Axis): bigint | undefined {
  if (row.limit === null) return undefined;
  const room = amountOf(row.limit, axis) - BigInt(row.used[axis]);
  return room > 0n ? room : 0n;
}

/** Undefined is no bound. */
function smallest(rooms: readonly (bigint | undefined)[]): bigint | undefined {
  return rooms.reduce((least, room) =>
    least === undefined || (room !== undefined && room < least) ? room : least,
  );
}
