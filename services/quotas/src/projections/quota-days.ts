/**
 * The history of quotas: a row a day for each tenant, from looks at its level of the ledger whenever an
 * hour of use is rolled up. So orders, which change the ledger all the time, write nothing for it.
 */
import { UsageRolledUp } from '@bivouac/events/quotas';
import { amountOf, axes } from '@bivouac/events/values';
import { on, projection } from '@bivouac/infra/runtime';
import { table } from '@bivouac/infra/views';

import type { QuotaDay } from '../api/index.ts';
import { levelsOf, type QuotaRow } from './ledger.ts';

export interface QuotaDayRow extends QuotaDay {
  readonly tenantId: string;
}

export const quotaDays = table<QuotaDayRow>()({
  name: 'quota_days',
  key: keyOf,
  indexes: { byTenant: (row) => [row.tenantId, row.start] },
});

export const quotaDaysProjection = projection({
  name: 'quota-days',
  tables: [quotaDays],
  on: [
    on(UsageRolledUp, ({ data: { entries }, time }, view) => {
      const levels = new Map(
        [...new Set(entries.map(({ tenantId }) => tenantId))]
          .flatMap((tenantId) => levelsOf(view, tenantId))
          .map((row) => [row.tenantId, row]),
      );
      // The ledger is as it is now, whichever hour was rolled up.
      const start = `${time.slice(0, 10)}T00:00:00.000Z`;
      for (const level of levels.values()) {
        const { tenantId } = level;
        const before = view.get(quotaDays, keyOf({ tenantId, start }));
        view.put(quotaDays, { tenantId, start, axes: looked(level, before) });
      }
    }),
  ],
});

function looked({ used, limit }: QuotaRow, before: QuotaDayRow | undefined): QuotaDay['axes'] {
  return axes.map((axis) => {
    const most = before?.axes.find((one) => one.axis === axis)?.used ?? '0';
    return {
      axis,
      limit: limit === null ? null : amountOf(limit, axis).toString(),
      used: BigInt(used[axis]) > BigInt(most) ? used[axis] : most,
    };
  });
}

function keyOf({ tenantId, start }: Pick<QuotaDayRow, 'tenantId' | 'start'>): string {
  return `${tenantId}/${start}`;
}
