/**
 * What was used as it is asked for: a row an hour and a day for each container that has used anything,
 * and for each tenant above it. Hours go after a while, days stay.
 */
import type { UsageEntry } from '@bivouac/events/node';
import { UsageAmended, UsageHourClosed, UsageRolledUp } from '@bivouac/events/quotas';
import { plusSeconds } from '@bivouac/events/values';
import { on, projection, timers } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import { CloseUsageHour, HOURS_KEPT_DAYS, type Resolution, type UsageView } from '../api/index.ts';
import { closesAt } from '../domain/usage.ts';
import { levelsOf } from './ledger.ts';

export interface UsageRow extends UsageView {
  /** A container or a tenant. */
  readonly subjectId: string;
  /** The container's tenant, or the tenant itself. */
  readonly tenantId: string;
  readonly resolution: Resolution;
  /** When the last look at its disk was taken, so that an older one does not count for more. */
  readonly seenAt: string;
}

export const usage = table<UsageRow>()({
  name: 'usage',
  key: keyOf,
  indexes: {
    bySubject: (row) => [row.subjectId, row.resolution, row.start],
    hoursByStart: (row) => (row.resolution === 'hour' ? [row.start] : undefined),
  },
});

type Entry = UsageEntry & { readonly tenantId: string };

export const usageProjection = projection({
  name: 'usage',
  tables: [usage, timers],
  on: [
    on(UsageRolledUp, ({ data: { homeId, hour, entries } }, view) => {
      count(view, hour, entries);
      const id = timerOf(homeId, hour);
      if (view.get(timers, id) !== undefined) return;
      view.put(timers, {
        ...{ id, due: closesAt(hour), homeId },
        ...{ command: CloseUsageHour.name, input: { homeId, hour } },
      });
    }),
    on(UsageAmended, ({ data: { hour, entries } }, view) => {
      count(view, hour, entries);
    }),
    on(UsageHourClosed, ({ data: { homeId, hour } }, view) => {
      view.delete(timers, timerOf(homeId, hour));
    }),
  ],
});

function count(view: WritableView, hour: string, entries: readonly Entry[]): void {
  for (const entry of entries) {
    const { containerId, tenantId } = entry;
    for (const resolution of ['hour', 'day'] as const) {
      add(view, { subjectId: containerId, tenantId, resolution }, hour, entry, true);
      for (const level of levelsOf(view, tenantId))
        add(view, { subjectId: level.tenantId, tenantId: level.tenantId, resolution }, hour, entry);
    }
  }
  // As many as may have come, so that the table does not grow: by the log alone, not by a clock.
  const kept = plusSeconds(hour, -HOURS_KEPT_DAYS * 86_400);
  for (const { row } of view.range(usage, 'hoursByStart', [], { limit: 8 * entries.length + 8 })) {
    if (row.start >= kept) return;
    view.delete(usage, keyOf(row));
  }
}

function add(
  view: WritableView,
  of: Pick<UsageRow, 'subjectId' | 'tenantId' | 'resolution'>,
  hour: string,
  entry: Entry,
  measured = false,
): void {
  const start = of.resolution === 'hour' ? hour : `${hour.slice(0, 10)}T00:00:00.000Z`;
  const row = view.get(usage, keyOf({ ...of, start })) ?? {
    ...of,
    start,
    ...{ cpuNanos: '0', receivedBytes: '0', sentBytes: '0', gapSeconds: 0 },
    ...{ memoryPeakBytes: null, processesPeak: null, diskBytes: null, seenAt: '' },
  };
  const summed = {
    ...row,
    cpuNanos: sum(row.cpuNanos, entry.cpuNanos.used),
    receivedBytes: sum(row.receivedBytes, entry.receivedBytes.used),
    sentBytes: sum(row.sentBytes, entry.sentBytes.used),
    gapSeconds: row.gapSeconds + entry.gapSeconds,
  };
  view.put(usage, measured ? seen(summed, entry) : summed);
}

/** What was measured, not counted: the highest, or the last. */
function seen(row: UsageRow, entry: Entry): UsageRow {
  const later = entry.diskBytes !== null && entry.to >= row.seenAt;
  return {
    ...row,
    memoryPeakBytes: larger(row.memoryPeakBytes ?? '0', entry.memoryPeakBytes),
    processesPeak: Math.max(row.processesPeak ?? 0, entry.processesPeak),
    diskBytes: later ? entry.diskBytes : row.diskBytes,
    seenAt: later ? entry.to : row.seenAt,
  };
}

function sum(a: string, b: string): string {
  return (BigInt(a) + BigInt(b)).toString();
}

function larger(a: string, b: string): string {
  return BigInt(a) > BigInt(b) ? a : b;
}

function keyOf(row: Pick<UsageRow, 'subjectId' | 'resolution' | 'start'>): string {
  return `${row.subjectId}/${row.resolution}/${row.start}`;
}

function timerOf(homeId: string, hour: string): string {
  return `usage-${homeId}-${hour}`;
}
