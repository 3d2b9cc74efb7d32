/**
 * The ledger as lists show it: one row per tenant with what is taken on its level, one per live
 * reservation, and a timer for each that is neither committed nor released yet.
 */
import {
  Committed,
  LimitSet,
  Released,
  ReservationOverdue,
  Reserved,
  TenantOpened,
} from '@bivouac/events/quotas';
import { amountOf, type Axis, type ResourceVector } from '@bivouac/events/values';
import { on, projection, timers } from '@bivouac/infra/runtime';
import { table, type View, type WritableView } from '@bivouac/infra/views';

import { FlagOverdue } from '../api/index.ts';
import { overdueAt } from '../domain/reservations.ts';

/** Whole numbers as decimal text, by axis. */
type AmountsRow = Readonly<Record<Axis, string>>;

export interface QuotaRow {
  readonly tenantId: string;
  readonly homeId: string;
  readonly parentId: string | null;
  readonly limit: ResourceVector | null;
  /** All that is taken on this level; `reserved` is the part not committed yet. */
  readonly used: AmountsRow;
  readonly reserved: AmountsRow;
}

export const quotas = table<QuotaRow>()({
  name: 'quotas',
  key: (row) => row.tenantId,
  indexes: {},
});

export interface ReservationRow {
  readonly id: string;
  readonly tenantId: string;
  readonly vector: ResourceVector;
  readonly status: 'reserved' | 'overdue' | 'committed';
  readonly reservedAt: string;
  readonly committedAt: string | null;
  readonly position: string;
}

export const reservations = table<ReservationRow>()({
  name: 'reservations',
  key: (row) => row.id,
  indexes: { byTenant: (row) => [row.tenantId, row.position] },
});

/** The tenant's row and those above it up to the home, from below. */
export function levelsOf(view: View, tenantId: string): readonly QuotaRow[] {
  const rows: QuotaRow[] = [];
  let next = view.get(quotas, tenantId);
  while (next !== undefined) {
    rows.push(next);
    next = next.parentId === null ? undefined : view.get(quotas, next.parentId);
  }
  return rows;
}

export const ledgerProjection = projection({
  name: 'ledger',
  tables: [quotas, reservations, timers],
  on: [
    on(TenantOpened, ({ data }, view) => {
      view.put(quotas, { ...data, limit: null, used: none, reserved: none });
    }),
    on(LimitSet, ({ data }, view) => {
      const row = view.get(quotas, data.tenantId);
      if (row !== undefined) view.put(quotas, { ...row, limit: data.limit });
    }),
    on(Reserved, ({ data, time, position }, view) => {
      const { reservationId, tenantId, homeId, vector, notAfter } = data;
      change(view, tenantId, vector, { used: 1n, reserved: 1n });
      view.put(reservations, {
        id: reservationId,
        tenantId,
        vector,
        status: 'reserved',
        reservedAt: time,
        committedAt: null,
        position,
      });
      view.put(timers, {
        id: timerOf(reservationId),
        due: overdueAt(notAfter),
        homeId,
        command: FlagOverdue.name,
        input: { reservationId, homeId },
      });
    }),
    on(Committed, ({ data, time }, view) => {
      change(view, data.tenantId, data.vector, { used: 0n, reserved: -1n });
      const row = view.get(reservations, data.reservationId);
      if (row !== undefined)
        view.put(reservations, { ...row, status: 'committed', committedAt: time });
      view.delete(timers, timerOf(data.reservationId));
    }),
    on(Released, ({ data }, view) => {
      const { reservationId, tenantId, vector, committed } = data;
      change(view, tenantId, vector, { used: -1n, reserved: committed ? 0n : -1n });
      view.delete(reservations, reservationId);
      view.delete(timers, timerOf(reservationId));
    }),
    on(ReservationOverdue, ({ data }, view) => {
      const row = view.get(reservations, data.reservationId);
      if (row !== undefined) view.put(reservations, { ...row, status: 'overdue' });
      view.delete(timers, timerOf(data.reservationId));
    }),
  ],
});

const none: AmountsRow = amounts(() => 0n);

function timerOf(reservationId: string): string {
  return `overdue-${reservationId}`;
}

function amounts(of: (axis: Axis) => bigint): AmountsRow {
  return {
    containers: of('containers').toString(),
    cpuMillis: of('cpuMillis').toString(),
    memoryBytes: of('memoryBytes').toString(),
    diskBytes: of('diskBytes').toString(),
    addresses: of('addresses').toString(),
  };
}

/** Moves the vector, so many times, into (or out of) what is used and reserved on every level. */
function change(
  view: WritableView,
  tenantId: string,
  vector: ResourceVector,
  times: { readonly used: bigint; readonly reserved: bigint },
): void {
  const moved = (row: AmountsRow, n: bigint): AmountsRow =>
    n === 0n ? row : amounts((axis) => BigInt(row[axis]) + n * amountOf(vector, axis));
  for (const row of levelsOf(view, tenantId)) {
    view.put(quotas, {
      ...row,
      used: moved(row.used, times.used),
      reserved: moved(row.reserved, times.reserved),
    });
  }
}
