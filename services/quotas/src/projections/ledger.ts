/**
 * The ledger as lists show it: one row per tenant with what is taken on its level, one per live
 * reservation, and a timer for each that is neither committed nor released yet.
 */
import {
  Committed,
  LimitExpired,
  LimitSet,
  Released,
  ReservationOverdue,
  Reserved,
  TenantOpened,
  Transferred,
  TransferReserved,
} from '@bivouac/events/quotas';
import { amountOf, type Axis, type ResourceVector, subtractVectors } from '@bivouac/events/values';
import { on, projection, timers } from '@bivouac/infra/runtime';
import { table, type View, type WritableView } from '@bivouac/infra/views';

import { ExpireLimit, FlagOverdue } from '../api/index.ts';
import { overdueAt } from '../domain/reservations.ts';

/** Whole numbers as decimal text, by axis. */
type AmountsRow = Readonly<Record<Axis, string>>;

export interface QuotaRow {
  readonly tenantId: string;
  readonly homeId: string;
  readonly parentId: string | null;
  readonly limit: ResourceVector | null;
  /** When the limit ends, and the lasting one is in force again; null: it lasts. */
  readonly until: string | null;
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
  /** The reservation whose place it is to take, and what it adds to that until then. */
  readonly replaces: string | null;
  readonly taken: ResourceVector | null;
  readonly status: 'reserved' | 'overdue' | 'committed';
  readonly reservedAt: string;
  readonly committedAt: string | null;
  readonly position: string;
}

export const reservations = table<ReservationRow>()({
  name: 'reservations',
  key: (row) => row.id,
  indexes: {
    byTenant: (row) => [row.tenantId, row.position],
    byReplaced: (row) => (row.replaces === null ? undefined : [row.replaces]),
  },
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
      view.put(quotas, { ...data, limit: null, until: null, used: none, reserved: none });
    }),
    on(LimitSet, ({ data }, view) => {
      const { tenantId, homeId, limit, until = null } = data;
      const row = view.get(quotas, tenantId);
      if (row !== undefined) view.put(quotas, { ...row, limit, until });
      view.delete(timers, limitTimerOf(tenantId));
      if (until === null) return;
      view.put(timers, {
        id: limitTimerOf(tenantId),
        due: until,
        homeId,
        command: ExpireLimit.name,
        input: { tenantId, homeId, until },
      });
    }),
    on(LimitExpired, ({ data: { tenantId, limit } }, view) => {
      const row = view.get(quotas, tenantId);
      if (row !== undefined) view.put(quotas, { ...row, limit, until: null });
      view.delete(timers, limitTimerOf(tenantId));
    }),
    on(Reserved, ({ data, time, position }, view) => {
      const { reservationId, tenantId, vector } = data;
      change(view, tenantId, vector, { used: 1n, reserved: 1n });
      view.put(reservations, {
        ...{ id: reservationId, tenantId, vector, replaces: null, taken: null },
        ...{ status: 'reserved', reservedAt: time, committedAt: null, position },
      });
      watch(view, data);
    }),
    on(TransferReserved, ({ data, time, position }, view) => {
      const { reservationId, fromReservationId, tenantId, vector, taken } = data;
      change(view, tenantId, taken, { used: 1n, reserved: 1n });
      view.put(reservations, {
        ...{ id: reservationId, tenantId, vector, replaces: fromReservationId, taken },
        ...{ status: 'reserved', reservedAt: time, committedAt: null, position },
      });
      watch(view, data);
    }),
    on(Transferred, ({ data, time }, view) => {
      const { reservationId, fromReservationId, tenantId, taken, freed } = data;
      change(view, tenantId, taken, { used: 0n, reserved: -1n });
      change(view, tenantId, freed, { used: -1n, reserved: 0n });
      view.delete(reservations, fromReservationId);
      const row = view.get(reservations, reservationId);
      if (row !== undefined) {
        view.put(reservations, {
          ...row,
          ...{ replaces: null, taken: null, status: 'committed', committedAt: time },
        });
      }
      view.delete(timers, timerOf(reservationId));
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
      const [heir] = view.range(reservations, 'byReplaced', [reservationId], { limit: 1 });
      // What both had in common is only reserved again: for the heir alone.
      if (heir !== undefined && heir.row.taken !== null) {
        const { taken } = heir.row;
        change(view, tenantId, subtractVectors(heir.row.vector, taken), { used: 0n, reserved: 1n });
        view.put(reservations, { ...heir.row, replaces: null, taken: null });
      }
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

function limitTimerOf(tenantId: string): string {
  return `limit-${tenantId}`;
}

/** Somebody is asked about it where it is neither committed nor released in time. */
function watch(
  view: WritableView,
  reserved: {
    readonly reservationId: string;
    readonly homeId: string;
    readonly notAfter: string;
  },
): void {
  const { reservationId, homeId, notAfter } = reserved;
  view.put(timers, {
    id: timerOf(reservationId),
    due: overdueAt(notAfter),
    homeId,
    command: FlagOverdue.name,
    input: { reservationId, homeId },
  });
}

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
